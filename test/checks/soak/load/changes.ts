import type { SandboxClient } from '../deployment/sandbox-client.js';
import { versionFields, type Fact } from '../judge/facts.js';
import { DELETED, type Freshness } from '../judge/freshness.js';
import type { Choice } from '../../choice.js';
import type { KnownOrder, KnownProduct, Universe } from './universe.js';

/** The kinds of changes, with their relative frequency. */
const WEIGHTS = {
  'item changed': 30,
  'order changed': 14,
  'order changed inside': 4,
  'order created': 5,
  'order deleted': 4,
  'order undeleted': 2,
  'order moved': 4,
  'item created': 5,
  'item deleted': 4,
  'product changed': 8,
  'product moved': 3,
  'product created': 1,
  'product deleted': 1,
  'price changed': 8,
  'price withdrawn': 2,
  'account changed': 6,
  'eligibility announced': 2,
  'records changed together': 0.5,
} as const;
export type ChangeKind = keyof typeof WEIGHTS;

const ORDERS_MAX = 60;
const PRODUCTS_MAX = 60;
/** Maximum number of records in one collection request. */
const TOGETHER_MAX = 200;
const STATUSES = ['Draft', 'Pending Review', 'Approved', 'Processing', 'Activated', 'Completed', 'Cancelled'];
const ELIGIBILITIES = ['Pending', 'Eligible', 'Ineligible'];
const FAMILIES = ['Internet', 'SIM', 'Voice', 'Hardware'];

/** An order that may be undeleted, with its former account. */
interface Deleted {
  readonly id: string;
  readonly account: string;
}

/**
 * The changes that people and programs make in the org. `freshness` receives the acknowledged changes. A change whose
 * outcome is unknown creates no expectation, and its version is not used again.
 */
export class Changes {
  private readonly bin: Deleted[] = [];

  constructor(
    private readonly org: SandboxClient,
    private readonly universe: Universe,
    private readonly freshness: Freshness,
  ) {}

  /**
   * Makes one change; resolves with false if there was no free record for it. Rejects when Salesforce did not
   * acknowledge it.
   */
  async make(kind: ChangeKind, choice: Choice): Promise<boolean> {
    switch (kind) {
      case 'item changed':
        return this.onItem(choice, (item) =>
          this.changeItem(item, choice.chance(0.5) ? choice.whole(1, 9) : undefined),
        );
      case 'order changed':
        return this.onOrder(choice, (order) => this.changeOrder(order, { Status: choice.of(STATUSES) }));
      case 'order changed inside':
        return this.onOrder(choice, ({ id }) =>
          this.org.update('Order', id, { Activation_Status__c: choice.of(['Activating', 'Activated', 'Failed']) }),
        );
      case 'order created':
        return this.createOrder(choice);
      case 'order deleted':
        return this.onOrder(choice, (order) => this.deleteOrder(order), true);
      case 'order undeleted':
        return this.undeleteOrder();
      case 'order moved':
        return this.onOrder(choice, (order) => this.moveOrder(order, choice), true);
      case 'item created':
        return this.onOrder(choice, (order) => this.createItem(order, choice));
      case 'item deleted':
        return this.onOrder(choice, (order) => this.deleteItem(order, choice), true);
      case 'product changed':
        return this.onProduct(choice, (product) => this.changeProduct(product, { Stock__c: choice.whole(0, 500) }));
      case 'product moved':
        return this.onProduct(choice, (product) => this.moveProduct(product, choice));
      case 'product created':
        return this.createProduct(choice);
      case 'product deleted':
        return this.onProduct(choice, (product) => this.deleteProduct(product), true);
      case 'price changed':
        return this.onProduct(choice, (product) => this.changePrice(product, {}));
      case 'price withdrawn':
        return this.onProduct(choice, (product) => this.changePrice(product, { IsActive: choice.chance(0.6) }));
      case 'account changed':
        return this.onAccount(choice, (account) =>
          this.changeAccount(account, { Internet_Eligibility_Status__c: choice.of(ELIGIBILITIES) }),
        );
      case 'eligibility announced':
        return this.onAccount(choice, async (account) => {
          await this.org.create('Account_Eligibility_Update__e', { Account_Id__c: account });
        });
      case 'records changed together':
        return this.changeTogether(choice);
    }
  }

  static kind(choice: Choice): ChangeKind {
    return choice.weighted(WEIGHTS);
  }

  async changeItem(id: string, quantity?: number): Promise<void> {
    const more = quantity === undefined ? {} : { Quantity: quantity };
    await this.versioned(`OrderItem ${id}`, (version) =>
      this.org.update('OrderItem', id, { ...versionFields.item(version), ...more }),
    );
  }

  async changeOrder({ id }: KnownOrder, fields: object = {}): Promise<void> {
    await this.versioned(`Order ${id}`, (version) =>
      this.org.update('Order', id, { ...versionFields.order(version), ...fields }),
    );
  }

  async changeProduct({ id, name }: KnownProduct, fields: object = {}): Promise<void> {
    await this.versioned(`Product2 ${id}`, (version) =>
      this.org.update('Product2', id, { ...versionFields.product(name, version), ...fields }),
    );
  }

  async changePrice({ id, entry }: KnownProduct, fields: object = {}): Promise<void> {
    if (entry === undefined) return;
    await this.versioned(`PricebookEntry ${id}`, (version) =>
      this.org.update('PricebookEntry', entry, { ...versionFields.price(version), ...fields }),
    );
  }

  async changeAccount(id: string, fields: object = {}): Promise<void> {
    await this.versioned(`Account ${id}`, (version) =>
      this.org.update('Account', id, { ...versionFields.account(version), ...fields }),
    );
  }

  /** Creates an order with one line for the account. */
  async newOrder(account: string, choice: Choice): Promise<KnownOrder> {
    const fields = {
      AccountId: account,
      Pricebook2Id: this.universe.pricebook,
      EffectiveDate: '2026-01-01',
      Status: 'Draft',
    };
    const id = await this.org.create('Order', { ...fields, Type: 'Internet' });
    const order: KnownOrder = { id, account, items: new Set(), isOurs: true };
    this.universe.orders.set(id, order);
    await this.createItem(order, choice);
    return order;
  }

  private async versioned(fact: Fact, write: (version: number) => Promise<void>): Promise<void> {
    const version = this.universe.nextVersion(fact);
    await write(version);
    this.freshness.acknowledged(fact, version, performance.now());
  }

  private async createOrder(choice: Choice): Promise<boolean> {
    const account = choice.of([...this.universe.accounts.values()]);
    if (account === undefined || this.universe.orders.size >= ORDERS_MAX) return false;
    await this.newOrder(account, choice);
    return true;
  }

  private async createItem(order: KnownOrder, choice: Choice): Promise<void> {
    const product = choice.of(this.universe.openProducts.filter(({ entry, isOurs }) => entry !== undefined && !isOurs));
    if (product === undefined || order.items.size >= 6) return;
    const id = await this.org.create('OrderItem', {
      OrderId: order.id,
      PricebookEntryId: product.entry,
      Quantity: 1,
      UnitPrice: choice.whole(100, 9_000),
      Description: 'new',
    });
    order.items.add(id);
  }

  private async deleteItem(order: KnownOrder, choice: Choice): Promise<void> {
    const id = choice.of([...order.items]);
    if (id === undefined || !this.universe.hold(id)) return;
    try {
      await this.org.delete('OrderItem', id);
      order.items.delete(id);
      this.freshness.acknowledged(`OrderItem ${id}`, DELETED, performance.now());
    } finally {
      this.universe.release(id);
    }
  }

  private async deleteOrder(order: KnownOrder): Promise<void> {
    await this.org.delete('Order', order.id);
    this.universe.orders.delete(order.id);
    this.bin.push({ id: order.id, account: order.account });
    this.freshness.acknowledged(`Order ${order.id}`, DELETED, performance.now());
  }

  /**
   * Undeletes the order that was deleted first. Its items stay in the bin, as they do when only the order is undeleted.
   */
  private async undeleteOrder(): Promise<boolean> {
    const order = this.bin.shift();
    if (order === undefined || this.universe.orders.size >= ORDERS_MAX) return false;
    this.freshness.forget(`Order ${order.id}`);
    await this.org.fault({ fault: 'undelete', entityName: 'Order', recordId: order.id });
    this.universe.orders.set(order.id, { ...order, items: new Set(), isOurs: true });
    return true;
  }

  private async moveOrder(order: KnownOrder, choice: Choice): Promise<void> {
    const account = choice.of([...this.universe.accounts.values()]) ?? order.account;
    await this.org.update('Order', order.id, { AccountId: account });
    order.account = account;
  }

  private async moveProduct(product: KnownProduct, choice: Choice): Promise<void> {
    const field = choice.weighted({ Family: 1, Region__c: 1, IsActive: 1 });
    const value = {
      Family: choice.of(FAMILIES),
      Region__c: choice.of(['East', 'West', null]),
      IsActive: choice.chance(0.7),
    };
    await this.changeProduct(product, { [field]: value[field] });
  }

  private async createProduct(choice: Choice): Promise<boolean> {
    if (this.universe.products.size >= PRODUCTS_MAX) return false;
    const [family, name] = [choice.of(FAMILIES) ?? 'SIM', `Soaked ${choice.whole(1, 999_999)}`];
    const id = await this.org.create('Product2', { Name: name, Family: family, IsActive: true });
    const product: KnownProduct = { id, name, family, entry: undefined, isOurs: true };
    this.universe.products.set(id, product);
    const fields = { Pricebook2Id: this.universe.pricebook, Product2Id: id, UnitPrice: 500, IsActive: true };
    product.entry = await this.org.create('PricebookEntry', fields);
    return true;
  }

  private async deleteProduct({ id }: KnownProduct): Promise<void> {
    await this.org.delete('Product2', id);
    this.universe.products.delete(id);
    this.freshness.acknowledged(`Product2 ${id}`, DELETED, performance.now());
  }

  /** Changes many records in one transaction; customers see some of them. */
  private async changeTogether(choice: Choice): Promise<boolean> {
    const { openOrders, otherItems } = this.universe;
    const own = openOrders.flatMap(({ items }) => [...items]).filter((id) => this.universe.hold(id));
    try {
      const text = `together ${choice.whole(1, 999_999_999)}`;
      const isMerged = choice.chance(0.5); // equal changes become one event
      const ids = [...own, ...otherItems].slice(0, TOGETHER_MAX);
      const records = ids.map((Id, i) => {
        return { attributes: { type: 'OrderItem' }, Id, Description: isMerged ? text : `${text}-${i}` };
      });
      await this.org.rest('PATCH', '/composite/sobjects', { allOrNone: false, records });
      return true;
    } finally {
      for (const id of own) this.universe.release(id);
    }
  }

  private onItem(choice: Choice, work: (item: string) => Promise<void>): Promise<boolean> {
    const order = choice.of(this.universe.openOrders);
    return this.holding(order && choice.of([...order.items]), work);
  }

  private async onOrder(choice: Choice, work: (order: KnownOrder) => Promise<void>, isOurs = false): Promise<boolean> {
    const order = choice.of(this.universe.openOrders.filter((each) => !isOurs || each.isOurs));
    return this.holding(order?.id, () => work(order as KnownOrder));
  }

  private async onProduct(
    choice: Choice,
    work: (one: KnownProduct) => Promise<void>,
    isOurs = false,
  ): Promise<boolean> {
    const product = choice.of(this.universe.openProducts.filter((each) => !isOurs || each.isOurs));
    return this.holding(product?.id, () => work(product as KnownProduct));
  }

  private onAccount(choice: Choice, work: (account: string) => Promise<void>): Promise<boolean> {
    return this.holding(choice.of(this.universe.openAccounts), work);
  }

  private async holding(id: string | undefined, work: (id: string) => Promise<void>): Promise<boolean> {
    if (id === undefined || !this.universe.hold(id)) return false;
    try {
      await work(id);
      return true;
    } finally {
      this.universe.release(id);
    }
  }
}
