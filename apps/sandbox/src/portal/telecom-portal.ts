import { PICKLISTS } from '../org/standard-objects.js';
import type { Org } from '../org/org.js';
import type { Transaction } from '../org/transaction.js';
import { customerAddress, customerName } from './account-names.js';
import { productRange, type RangeProduct } from './product-range.js';
import { Random } from './random.js';

/**
 * The numbers of the made-up portal. Its first three accounts are the demo customers, for whom the token issuer has
 * tokens.
 */
export const PORTAL_SIZE = {
  accounts: 240,
  ordersPerDemoCustomer: 8,
  orders: 2_400,
  firstWhmcsClientId: 1001,
} as const;

interface Offer extends RangeProduct {
  readonly entryId: string;
  readonly productId: string;
}

interface Customer {
  readonly id: string;
  readonly region: 'East' | 'West';
  readonly address: Readonly<Record<string, string>>;
}

const FIRST_DAY = Date.UTC(2025, 0, 6);
const DAYS = 540;

/**
 * Fills an org with the made-up telecom portal: products, prices, customers, orders with lines, and two cases for each
 * demo customer. They are the same at every start.
 */
export function seedTelecomPortal(org: Org): void {
  const random = new Random(20_260_401);
  const offers = inTransaction(org, FIRST_DAY, (transaction) =>
    productRange().map((product) => seedProduct(transaction, product)),
  );
  const customers = inTransaction(org, FIRST_DAY, (transaction) =>
    Array.from({ length: PORTAL_SIZE.accounts }, (_, i) => seedCustomer(transaction, random, i + 1)),
  );
  const demoOrders = customers
    .slice(0, 3)
    .flatMap((customer) => Array<Customer>(PORTAL_SIZE.ordersPerDemoCustomer).fill(customer));
  const others = Array.from({ length: PORTAL_SIZE.orders - demoOrders.length }, () => random.pick(customers.slice(3)));
  [...demoOrders, ...others].forEach((customer, i) => {
    // The step shares no factor with DAYS, so that orders cover all days and neighbours in number are not neighbours in
    // time.
    const day = FIRST_DAY + ((i * 197) % DAYS) * 86_400_000;
    inTransaction(org, day + random.integer(0, 40_000) * 1000, (transaction) =>
      seedOrder(transaction, random, customer, offers),
    );
  });
  // The portal shows no cases. They are there for a cache of one's own (docs/how-to/adding-a-cache.md).
  inTransaction(org, FIRST_DAY + DAYS * 86_400_000, (transaction) =>
    customers.slice(0, 3).forEach(({ id }) => seedCases(transaction, id)),
  );
}

function seedCases(transaction: Transaction, account: string): void {
  const common = { AccountId: account, Origin: 'Web' };
  transaction.create('Case', { ...common, Subject: 'No signal', Status: 'New', Type: 'Problem' });
  transaction.create('Case', { ...common, Subject: 'Change of address', Status: 'Closed', Type: 'Question' });
}

function inTransaction<T>(org: Org, at: number, work: (transaction: Transaction) => T): T {
  return org.transaction(work, { at: new Date(at).toISOString() });
}

function seedProduct(transaction: Transaction, product: RangeProduct): Offer {
  const { price, ...fields } = product;
  const productId = transaction.create('Product2', { ...fields, IsActive: true });
  const entryId = transaction.create('PricebookEntry', {
    Pricebook2Id: transaction.org.standardPricebookId,
    Product2Id: productId,
    UnitPrice: price,
    IsActive: true,
  });
  return { ...product, productId, entryId };
}

function seedCustomer(transaction: Transaction, random: Random, n: number): Customer {
  const { region, fields } = customerAddress(random);
  const status = n <= 3 ? 'Eligible' : random.pick(PICKLISTS.eligibility);
  const id = transaction.create('Account', {
    Name: n <= 3 ? `Demo Customer ${n}` : customerName(random),
    AccountNumber: `EG-${String(n).padStart(5, '0')}`,
    Type: 'Customer',
    Phone: `+81-3-55${random.integer(10, 99)}-${random.integer(1000, 9999)}`,
    ...fields,
    Portal_User_Id__c: `customer-${n}`,
    WHMCS_Client_Id__c: String(PORTAL_SIZE.firstWhmcsClientId + n - 1),
    Internet_Eligibility_Status__c: status,
    Internet_Eligibility__c: status === 'Eligible' ? random.pick(['Home 1G', 'Home 10G', 'Apartment 1G']) : null,
    Eligible_Regions__c: status === 'Eligible' ? region : null,
  });
  return { id, region, address: fields };
}

function seedOrder(transaction: Transaction, random: Random, customer: Customer, offers: readonly Offer[]): void {
  const type = random.pick(['Internet', 'Internet', 'SIM', 'SIM', 'VPN', 'Voice'] as const);
  const at = transaction.context.at ?? '';
  const orderId = transaction.create('Order', {
    AccountId: customer.id,
    Pricebook2Id: transaction.org.standardPricebookId,
    EffectiveDate: at.slice(0, 10),
    Type: type,
    ...orderState(random),
    ...orderDetails(random, type),
    ...customer.address,
  });
  const suitable = offers.filter((offer) => fits(offer, type, customer.region));
  const lines = random.integer(1, 4);
  for (let line = 0; line < lines; line++) {
    const offer = random.pick(suitable);
    transaction.create('OrderItem', {
      OrderId: orderId,
      PricebookEntryId: offer.entryId,
      Quantity: offer.Family === 'Hardware' ? random.integer(1, 3) : 1,
      UnitPrice: offer.price,
      Description: offer.Name,
      Billing_Cycle__c: offer.Billing_Cycle__c,
    });
  }
}

function fits(offer: Offer, type: string, region: 'East' | 'West'): boolean {
  const isInRegion = offer.Region__c === null || offer.Region__c === region;
  return isInRegion && (offer.Family === type || offer.Family === 'Hardware');
}

function orderState(random: Random): Record<string, unknown> {
  const status = random.pick([
    'Draft',
    'Pending Review',
    'Approved',
    'Activated',
    'Activated',
    'Activated',
    'Completed',
    'Cancelled',
  ]);
  const isActive = status === 'Activated' || status === 'Completed';
  return {
    Status: status,
    Activation_Status__c: isActive ? 'Activated' : 'Not Started',
    Activation_Type__c: random.pick(PICKLISTS.activationType),
    WHMCS_Order_ID__c: isActive ? String(random.integer(20_000, 99_999)) : null,
  };
}

function orderDetails(random: Random, type: string): Record<string, unknown> {
  switch (type) {
    case 'Internet':
      return {
        Installation_Type__c: random.pick(PICKLISTS.installationType),
        Access_Mode__c: random.pick(PICKLISTS.accessMode),
        Hikari_Denwa__c: random.chance(0.3),
      };
    case 'SIM': {
      const simType = random.pick(PICKLISTS.simType);
      const eid = `8904903${Array.from({ length: 25 }, () => random.integer(0, 9)).join('')}`;
      return { SIM_Type__c: simType, EID__c: simType === 'eSIM' ? eid : null };
    }
    case 'VPN':
      return { VPN_Region__c: random.pick(PICKLISTS.vpnRegion) };
    default:
      return {};
  }
}
