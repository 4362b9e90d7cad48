import type { Org } from '../org/org.js';
import { Random } from '../portal/random.js';

/** A billing client: one for each account that names a WHMCS client id. */
export interface Client {
  readonly id: number;
  readonly firstName: string;
  readonly lastName: string;
}

export interface InvoiceItem {
  readonly id: number;
  readonly relatedId: number;
  readonly description: string;
  readonly amount: number;
}

/** An invoice with amounts in whole yen; only its status and payment date can change. */
export interface Invoice {
  readonly id: number;
  readonly client: Client;
  readonly date: string;
  readonly dueDate: string;
  readonly items: readonly InvoiceItem[];
  status: string;
  datePaid: string | undefined;
}

export interface Service {
  readonly id: number;
  readonly clientId: number;
  readonly orderId: number;
  readonly productId: number;
  readonly name: string;
  readonly groupName: string;
  readonly status: string;
  readonly billingCycle: 'Monthly' | 'Annually';
  readonly amount: number;
  readonly registeredOn: string;
  readonly nextDueOn: string;
}

export interface PayMethod {
  readonly id: number;
  readonly clientId: number;
  readonly type: 'RemoteCreditCard' | 'BankAccount';
  readonly description: string;
  readonly gatewayName: string;
  readonly cardLastFour: string;
  readonly expiryDate: string;
  readonly cardType: string;
}

/** Consumption tax on every invoice, in per cent. */
export const TAX_RATE = 10;

const OFFERS = [
  ['Fibre Home 10G', 'Internet', 7600],
  ['Fibre Home 1G', 'Internet', 5400],
  ['Fibre Apartment 1G', 'Internet', 4300],
  ['Data SIM 10 GB', 'SIM', 1600],
  ['Voice SIM 25 GB', 'SIM', 3300],
  ['VPN San Francisco', 'VPN', 1000],
  ['Line Phone Plus', 'Voice', 1650],
] as const;

/**
 * The made-up billing system: clients from the org's accounts, with services, invoices and pay methods. They are the
 * same at every start.
 */
export class WhmcsData {
  readonly clients = new Map<number, Client>();
  readonly invoices = new Map<number, Invoice>();
  readonly services: Service[] = [];
  readonly payMethods: PayMethod[] = [];
  private itemCount = 0;

  constructor(org: Org) {
    for (const account of org.records('Account')) {
      const id = Number(account['WHMCS_Client_Id__c'] ?? Number.NaN);
      if (!Number.isInteger(id) || this.clients.has(id)) continue;
      const [firstName = '', ...rest] = String(account['Name']).split(' ');
      this.addClient({ id, firstName, lastName: rest.join(' ') }, new Random(id));
    }
  }

  private addClient(client: Client, random: Random): void {
    this.clients.set(client.id, client);
    const services = Array.from({ length: random.integer(1, 4) }, () => this.addService(client, random));
    const months = random.integer(4, 14);
    for (let month = 0; month < months; month++) this.addInvoice(client, services, random, month, months);
    const methods = random.integer(1, 2);
    for (let i = 0; i < methods; i++) this.addPayMethod(client, random, i);
  }

  private addService(client: Client, random: Random): Service {
    const [name, groupName, amount] = random.pick(OFFERS);
    const month = String(random.integer(1, 12)).padStart(2, '0');
    const service: Service = {
      id: 5_001 + this.services.length,
      clientId: client.id,
      orderId: random.integer(20_000, 99_999),
      productId: OFFERS.findIndex(([offered]) => offered === name) + 1,
      name,
      groupName,
      status: random.chance(0.85) ? 'Active' : random.pick(['Pending', 'Suspended', 'Cancelled', 'Terminated']),
      billingCycle: random.chance(0.9) ? 'Monthly' : 'Annually',
      amount,
      registeredOn: `2025-${month}-${String(random.integer(1, 28)).padStart(2, '0')}`,
      nextDueOn: '2026-12-01',
    };
    this.services.push(service);
    return service;
  }

  private addInvoice(
    client: Client,
    services: readonly Service[],
    random: Random,
    month: number,
    months: number,
  ): void {
    const first = new Date(Date.UTC(2026, 10 - months + month + 1, 1));
    const iso = first.toISOString().slice(0, 10);
    const isLast = month === months - 1;
    const isPaid = !isLast || random.chance(0.3);
    const id = 10_001 + this.invoices.size;
    this.invoices.set(id, {
      id,
      client,
      date: iso,
      dueDate: new Date(first.getTime() + 14 * 86_400_000).toISOString().slice(0, 10),
      items: services.map((service) => ({
        id: ++this.itemCount,
        relatedId: service.id,
        description: `${service.name} (${iso.slice(0, 7)})`,
        amount: service.amount,
      })),
      status: isPaid ? 'Paid' : 'Unpaid',
      datePaid: isPaid ? `${iso.slice(0, 8)}${String(random.integer(2, 14)).padStart(2, '0')} 09:15:00` : undefined,
    });
  }

  private addPayMethod(client: Client, random: Random, position: number): void {
    const isCard = position === 0 || random.chance(0.5);
    this.payMethods.push({
      id: 701 + this.payMethods.length,
      clientId: client.id,
      type: isCard ? 'RemoteCreditCard' : 'BankAccount',
      description: position === 0 ? 'Default' : 'Second method',
      gatewayName: isCard ? 'stripe' : 'banktransfer',
      cardLastFour: String(random.integer(0, 9999)).padStart(4, '0'),
      expiryDate: `${String(random.integer(1, 12)).padStart(2, '0')}/${random.integer(27, 31)}`,
      cardType: random.pick(['Visa', 'Mastercard', 'JCB']),
    });
  }
}
