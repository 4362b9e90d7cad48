import type { CallRecord } from '@bff/infra/sources/source-calls';
import {
  SalesforceClient,
  type ApiUsage,
  type CompositeCall,
  type FieldTraits,
  type PicklistValue,
} from '@bff/integrations/salesforce/salesforce.client';
import { SalesforceError } from '@bff/integrations/salesforce/salesforce.errors';
import { toSalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import type { Soql } from '@bff/integrations/salesforce/soql';

type Row = Record<string, unknown>;

/** Two customers, each with an order of one item; three products of two categories, two of them with a price. */
export const IDS = {
  alice: toSalesforceId('001000000000001'),
  bob: toSalesforceId('001000000000002'),
  aliceOrder: toSalesforceId('801000000000001'),
  bobOrder: toSalesforceId('801000000000002'),
  aliceItem: toSalesforceId('802000000000001'),
  bobItem: toSalesforceId('802000000000002'),
  fibre: toSalesforceId('01t000000000001'),
  router: toSalesforceId('01t000000000002'),
  esim: toSalesforceId('01t000000000003'),
  fibrePrice: toSalesforceId('01u000000000001'),
  esimPrice: toSalesforceId('01u000000000003'),
  pricebook: toSalesforceId('01s000000000001'),
};

/** A Salesforce whose tables a test reads and changes. It counts queries by object, can wait, and can fail. */
export class RecordedOrg extends SalesforceClient {
  readonly accounts: Row[] = [
    { Id: IDS.alice, Portal_User_Id__c: 'alice', WHMCS_Client_Id__c: '11', Internet_Eligibility_Status__c: 'Eligible' },
    { Id: IDS.bob, Portal_User_Id__c: 'bob', WHMCS_Client_Id__c: null, Eligible_Regions__c: 'East;West' },
  ];
  readonly products: Row[] = [
    product(IDS.fibre, 'Fibre 1G', 'Internet'),
    product(IDS.router, 'Router', 'Internet'),
    product(IDS.esim, 'eSIM', 'SIM'),
  ];
  readonly prices: Row[] = [price(IDS.fibrePrice, IDS.fibre, 40), price(IDS.esimPrice, IDS.esim, 9)];
  readonly orders: Row[] = [order(IDS.aliceOrder, IDS.alice, IDS.aliceItem), order(IDS.bobOrder, IDS.bob, IDS.bobItem)];
  /** The number of queries of each object; a request for picklist values counts under `describe`. */
  readonly queries: Record<string, number> = {};
  readonly composites: (readonly CompositeCall[])[] = [];
  readonly families = ['Internet', 'SIM'];
  readonly regions = ['East', 'West'];
  /** The traits of Order's fields; a test may take some away. */
  readonly orderFields: Record<string, FieldTraits> = { Portal_Request_Id__c: { createable: true, unique: true } };
  usage: ApiUsage | undefined;
  /** How often health has looked at it, so how often health was worked out. */
  usageAsked = 0;
  /** Why sign-ins are refused; only health looks at it. */
  refusal: string | undefined;
  /** How calls went, as health is to see it. */
  record: CallRecord = {};
  failure: SalesforceError | undefined;
  /** While set, composite requests are carried out and then fail with this error, as if their answer was lost. */
  lostAnswer: SalesforceError | undefined;
  /** A composite request waits for it before it is carried out. */
  writeDelay: () => Promise<void> = () => Promise.resolve();
  /** Called by every query after it was counted; the query waits for it. */
  delay: () => Promise<void> = () => Promise.resolve();

  async query<T>({ text }: Soql): Promise<T[]> {
    const [, table = '', where = ''] = /^.*\bFROM (\w+)(?: WHERE (.*))?$/s.exec(text) ?? [];
    this.count(table);
    await this.delay();
    if (this.failure) throw this.failure;
    const limit = Number(/ LIMIT (\d+)$/.exec(text)?.[1] ?? Infinity);
    return structuredClone(
      this.rows(table)
        .filter((row) => matches(row, where))
        .slice(0, limit),
    ) as T[];
  }

  async composite(calls: readonly CompositeCall[]): Promise<unknown[]> {
    this.composites.push(calls);
    await this.writeDelay();
    const fields = calls[0]?.body ?? {};
    this.checkFields(fields);
    const id = toSalesforceId(`801000000000${100 + this.composites.length}`);
    const item = toSalesforceId(`802000000000${100 + this.composites.length}`);
    this.orders.push({ ...order(id, String(fields['AccountId']), item), ...ofRequest(fields) });
    if (this.lostAnswer) throw this.lostAnswer;
    return calls.map(() => ({ id, success: true, errors: [] }));
  }

  field(_object: string, field: string): Promise<FieldTraits | undefined> {
    this.count('describe');
    return Promise.resolve(this.orderFields[field]);
  }

  picklist(object: string, field: string): Promise<PicklistValue[]> {
    this.count('describe');
    const values = object === 'Product2' && field === 'Family' ? this.families : this.regions;
    return Promise.resolve(values.map((value) => ({ value, label: value, active: true })));
  }

  organizationId(): Promise<string> {
    return Promise.resolve('00D000000000001EAA');
  }

  signInRefusal(): string | undefined {
    return this.refusal;
  }

  callRecord(): CallRecord {
    return this.record;
  }

  apiUsage(): ApiUsage | undefined {
    this.usageAsked += 1;
    return this.usage;
  }

  private checkFields(fields: Readonly<Record<string, unknown>>): void {
    for (const [name, value] of Object.entries(ofRequest(fields))) {
      if (!this.orderFields[name]) throw refusal('INVALID_FIELD', `No such column '${name}' on sobject of type Order`);
      const other = this.orders.find((row) => row[name] === value);
      if (other === undefined) continue;
      throw refusal(
        'DUPLICATE_VALUE',
        `duplicate value found: ${name} duplicates value on record with id: ${String(other['Id'])}`,
      );
    }
  }

  private count(name: string): void {
    this.queries[name] = (this.queries[name] ?? 0) + 1;
  }

  private rows(table: string): Row[] {
    const tables: Record<string, Row[]> = {
      Account: this.accounts,
      Product2: this.products,
      PricebookEntry: this.prices.map((row) => ({
        ...row,
        Pricebook2: { IsStandard: true },
        Product2: this.products.find(({ Id }) => Id === row['Product2Id']),
      })),
      Order: this.orders,
      Pricebook2: [{ Id: IDS.pricebook, IsStandard: true }],
    };
    const rows = tables[table];
    if (!rows) throw new Error(`the recorded org has no ${table}`);
    return rows;
  }
}

/** Supports `field = value` and `field IN (…)` joined by AND, which is all that these tests use. */
function matches(row: Row, where: string): boolean {
  const conditions = where.replace(/ (ORDER BY|LIMIT) .*$/s, '').split(' AND ');
  return conditions.every((condition) => {
    const [, field = '', operator = '', value = ''] = /^\s*([\w.]+) (=|IN) (.+?)\s*$/s.exec(condition) ?? [];
    const literals = value.replace(/[()']/g, '').split(', ');
    return operator !== '' && literals.includes(String(valueAt(row, field)));
  });
}

function valueAt(row: Row, path: string): unknown {
  return path.split('.').reduce((value: unknown, name) => (value as Row | undefined)?.[name], row);
}

/** The fields of a new order that mark the request. */
function ofRequest(fields: Readonly<Record<string, unknown>>): Row {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => name.endsWith('Request_Id__c')));
}

function refusal(errorCode: string, message: string): SalesforceError {
  const text = `composite was rolled back because of call order: ${errorCode}: ${message}`;
  return new SalesforceError('SALESFORCE_BAD_REQUEST', text, errorCode);
}

function product(id: string, name: string, family: string): Row {
  return {
    Id: id,
    Name: name,
    ProductCode: name.toUpperCase(),
    Description: null,
    IsActive: true,
    Family: family,
    Region__c: null,
    Billing_Cycle__c: 'Monthly',
    Availability__c: 'In stock',
    Stock__c: 5,
  };
}

function price(id: string, productId: string, amount: number): Row {
  return { Id: id, Product2Id: productId, Pricebook2Id: IDS.pricebook, UnitPrice: amount, IsActive: true };
}

function order(id: string, account: string, item: string): Row {
  const line = {
    Id: item,
    OrderItemNumber: '1',
    Product2Id: IDS.fibre,
    Product2: { Name: 'Fibre 1G', ProductCode: 'FIBRE 1G' },
    Quantity: 1,
    UnitPrice: 40,
    TotalPrice: 40,
    Description: null,
    Billing_Cycle__c: 'Monthly',
  };
  return {
    Id: id,
    OrderNumber: id.slice(10, 15),
    AccountId: account,
    Status: 'Draft',
    Type: 'Internet',
    EffectiveDate: '2026-11-01',
    TotalAmount: 40,
    CreatedDate: '2026-11-01T10:00:00.000+0000',
    OrderItems: { totalSize: 1, done: true, records: [line] },
  };
}
