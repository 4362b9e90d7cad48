import { CUSTOMERS, type Customer } from '../deployment/deployment.js';
import type { Row, SandboxClient } from '../deployment/sandbox-client.js';
import { plainName, type Fact } from '../judge/facts.js';
import type { Accounts } from '../judge/truth.js';

export interface KnownOrder {
  readonly id: string;
  account: string;
  readonly items: Set<string>;
  /** Created by the soak, so it may be deleted and moved. */
  readonly isOurs: boolean;
}

export interface KnownProduct {
  readonly id: string;
  readonly name: string;
  readonly family: string;
  /** Its entry in the standard price book; undefined while it has none. */
  entry: string | undefined;
  readonly isOurs: boolean;
}

/**
 * Records that only markers and deliberate losses write to, so that no other write repairs a loss. For each there is
 * another page on which it is looked for.
 */
export interface Reserved {
  readonly customer: Customer;
  readonly account: string;
  readonly order: KnownOrder;
  /** The order whose item is changed. */
  readonly itemOrder: KnownOrder;
  readonly product: KnownProduct;
  /** The product whose price is changed. */
  readonly priced: KnownProduct;
}

const RESERVED_FAMILIES = ['VPN', 'Voice'];
const RESERVED_CUSTOMER: Customer = 3;

/** The records that the soak knows, writes to and reads. A writer holds a record while it writes to it. */
export class Universe {
  readonly orders = new Map<string, KnownOrder>();
  readonly products = new Map<string, KnownProduct>();
  /** Items of other accounts' orders; no customer can read them, so bulk changes may include them. */
  readonly otherItems: string[] = [];
  reserved!: Reserved;
  pricebook = '';
  private readonly versions = new Map<Fact, number>();
  private readonly held = new Set<string>();

  private constructor(readonly accounts: Accounts) {}

  static async load(org: SandboxClient): Promise<Universe> {
    const users = CUSTOMERS.map((n) => `'customer-${n}'`).join(', ');
    const rows = await org.query(`SELECT Id, Portal_User_Id__c FROM Account WHERE Portal_User_Id__c IN (${users})`);
    const accountOf = (n: Customer) => rows.find((row) => row['Portal_User_Id__c'] === `customer-${n}`)?.Id ?? '';
    const universe = new Universe(new Map(CUSTOMERS.map((n) => [n, accountOf(n)])));
    await universe.loadOrders(org);
    await universe.loadProducts(org);
    universe.reserve();
    return universe;
  }

  /** The next version of a fact; each version is used once. */
  nextVersion(fact: Fact): number {
    const version = (this.versions.get(fact) ?? 0) + 1;
    this.versions.set(fact, version);
    return version;
  }

  /** The newest version that was given out; 0 if there was none. */
  lastVersion(fact: Fact): number {
    return this.versions.get(fact) ?? 0;
  }

  /** Holds the record until `release`; false if another writer already holds it. */
  hold(id: string): boolean {
    if (this.held.has(id)) return false;
    this.held.add(id);
    return true;
  }

  release(id: string): void {
    this.held.delete(id);
  }

  customerOf(account: string): Customer | undefined {
    return [...this.accounts].find(([, id]) => id === account)?.[0];
  }

  /** Orders that any writer may change: all but the reserved ones. */
  get openOrders(): KnownOrder[] {
    return [...this.orders.values()].filter(
      (order) => order !== this.reserved.order && order !== this.reserved.itemOrder,
    );
  }

  get openProducts(): KnownProduct[] {
    return [...this.products.values()].filter(({ family }) => !RESERVED_FAMILIES.includes(family));
  }

  get openAccounts(): string[] {
    return [...this.accounts.values()].filter((account) => account !== this.reserved.account);
  }

  private async loadOrders(org: SandboxClient): Promise<void> {
    const own = [...this.accounts.values()];
    const ids = own.map((id) => `'${id}'`).join(', ');
    const orders = await org.query(
      `SELECT Id, AccountId, (SELECT Id FROM OrderItems) FROM Order WHERE AccountId IN (${ids})`,
    );
    for (const row of orders) {
      const items = (row['OrderItems'] as { records: readonly Row[] } | null)?.records ?? [];
      const account = String(row['AccountId']);
      this.orders.set(row.Id, { id: row.Id, account, items: new Set(items.map(({ Id }) => Id)), isOurs: false });
    }
    const others = await org.query(`SELECT Id FROM OrderItem WHERE Order.AccountId NOT IN (${ids}) LIMIT 2000`);
    this.otherItems.push(...others.map(({ Id }) => Id));
  }

  private async loadProducts(org: SandboxClient): Promise<void> {
    const entries = await org.query(
      'SELECT Id, Product2Id, Pricebook2Id FROM PricebookEntry WHERE Pricebook2.IsStandard = true',
    );
    this.pricebook = String(entries[0]?.['Pricebook2Id']);
    for (const row of await org.query('SELECT Id, Name, Family FROM Product2 WHERE IsActive = true')) {
      const entry = entries.find((each) => each['Product2Id'] === row.Id)?.Id;
      const [name, family] = [plainName(String(row['Name'])), String(row['Family'])];
      this.products.set(row.Id, { id: row.Id, name, family, entry, isOurs: false });
    }
  }

  private reserve(): void {
    const account = this.accounts.get(RESERVED_CUSTOMER) as string;
    const [order, itemOrder] = [...this.orders.values()].filter(
      (each) => each.account === account && each.items.size > 0,
    );
    const sold = [...this.products.values()].filter(({ entry }) => entry !== undefined);
    const [product, priced] = RESERVED_FAMILIES.map((name) => sold.find(({ family }) => family === name));
    if (!order || !itemOrder || !product || !priced) throw new Error('the sandbox has too few records to reserve some');
    this.reserved = { customer: RESERVED_CUSTOMER, account, order, itemOrder, product, priced };
  }
}
