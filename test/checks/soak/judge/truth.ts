import type { Customer } from '../deployment/deployment.js';
import type { Row, SandboxClient } from '../deployment/sandbox-client.js';

/** A page that a customer can request from a BFF. */
export interface Page {
  readonly path: string;
  readonly customer: Customer;
}

/** The required answer of a page: its body, or undefined for 404. */
export interface ExpectedPage extends Page {
  readonly body: unknown;
}

/** The org's records that pages are built from. */
interface Records {
  readonly accounts: readonly Row[];
  readonly orders: readonly Row[];
  readonly products: readonly Row[];
  readonly entries: readonly Row[];
}

/** The id of each customer's account, in the order of the customers' numbers. */
export type Accounts = ReadonlyMap<Customer, string>;

const CATEGORIES = ['Internet', 'SIM', 'VPN', 'Voice', 'Hardware'];
const REGIONS = [undefined, 'East', 'West'] as const;

const ORDER_FIELDS =
  'Id, OrderNumber, AccountId, Status, Type, EffectiveDate, TotalAmount, CreatedDate, (SELECT Id, OrderItemNumber, ' +
  'Product2Id, Product2.Name, Product2.ProductCode, Quantity, UnitPrice, TotalPrice, Description, Billing_Cycle__c FROM OrderItems)';
const PRODUCT_FIELDS =
  'Id, Name, ProductCode, Description, Family, Region__c, Billing_Cycle__c, Availability__c, Stock__c';

/**
 * The pages of every customer's orders and eligibility, and those of the catalog, which show every customer the same,
 * once. All are built from the org's current records. This shares no code with the product.
 */
export async function expectedPages(org: SandboxClient, accounts: Accounts): Promise<ExpectedPage[]> {
  const ids = [...accounts.values()].map((id) => `'${id}'`).join(', ');
  const records: Records = {
    accounts: await org.query(
      `SELECT Id, Internet_Eligibility__c, Internet_Eligibility_Status__c, Eligible_Regions__c FROM Account WHERE Id IN (${ids})`,
    ),
    orders: await org.query(`SELECT ${ORDER_FIELDS} FROM Order WHERE AccountId IN (${ids})`),
    products: await org.query(`SELECT ${PRODUCT_FIELDS} FROM Product2 WHERE IsActive = true`),
    entries: await org.query(
      'SELECT Id, Product2Id, UnitPrice FROM PricebookEntry WHERE IsActive = true AND Pricebook2.IsStandard = true',
    ),
  };
  const [first = 1] = accounts.keys();
  return [
    ...[...accounts].flatMap(([customer, account]) => customerPages(customer, account, records)),
    ...CATEGORIES.flatMap((family) => REGIONS.map((region) => categoryPage(first, family, region, records))),
    { path: '/api/catalog', customer: first, body: CATEGORIES.map((family) => category(family)) },
  ];
}

function customerPages(customer: Customer, account: string, { orders, accounts }: Records): ExpectedPage[] {
  const own = orders.filter((order) => order['AccountId'] === account).map(orderDetail);
  const summaries = own.map(({ items: _items, ...summary }) => summary);
  return [
    { path: '/api/orders', customer, body: summaries },
    ...own.map((body) => ({ path: `/api/orders/${body.id}`, customer, body })),
    ...accounts
      .filter(({ Id }) => Id === account)
      .map((row) => ({ path: '/api/catalog/eligibility', customer, body: eligibility(row) })),
  ];
}

function orderDetail(order: Row) {
  const items = ((order['OrderItems'] as { records?: readonly Row[] } | null)?.records ?? []).map(orderItem);
  return {
    id: order.Id,
    orderNumber: order['OrderNumber'],
    status: order['Status'],
    type: order['Type'],
    effectiveDate: order['EffectiveDate'],
    totalAmount: order['TotalAmount'],
    createdAt: String(order['CreatedDate']).replace('+0000', 'Z'),
    itemCount: items.length,
    items,
  };
}

function orderItem(item: Row) {
  const product = item['Product2'] as { Name?: string; ProductCode?: string } | null;
  return {
    id: item.Id,
    itemNumber: item['OrderItemNumber'],
    productId: item['Product2Id'],
    productName: product?.Name ?? null,
    productCode: product?.ProductCode ?? null,
    quantity: item['Quantity'],
    unitPrice: item['UnitPrice'],
    totalPrice: item['TotalPrice'],
    description: item['Description'],
    billingCycle: item['Billing_Cycle__c'],
  };
}

function eligibility(account: Row) {
  const regions = (account['Eligible_Regions__c'] as string | null) ?? '';
  return {
    accountId: account.Id,
    internet: { eligibility: account['Internet_Eligibility__c'], status: account['Internet_Eligibility_Status__c'] },
    regions: regions
      .split(/[;,]/)
      .map((region) => region.trim())
      .filter((region) => region !== ''),
  };
}

function category(family: string) {
  return { slug: family.toLowerCase(), family, label: family };
}

function categoryPage(customer: Customer, family: string, region: string | undefined, records: Records): ExpectedPage {
  const prices = new Map(records.entries.map((entry) => [entry['Product2Id'], entry['UnitPrice']]));
  const products = records.products
    .filter((product) => product['Family'] === family)
    .filter((product) => region === undefined || product['Region__c'] === region || product['Region__c'] === null)
    .map((product) => ({
      id: product.Id,
      name: product['Name'],
      code: product['ProductCode'],
      description: product['Description'],
      region: product['Region__c'],
      billingCycle: product['Billing_Cycle__c'],
      price: prices.get(product.Id) ?? null,
      availability: product['Availability__c'],
      stock: product['Stock__c'],
    }));
  const path = `/api/catalog/${family.toLowerCase()}${region === undefined ? '' : `?region=${region}`}`;
  return { path, customer, body: { category: family.toLowerCase(), label: family, region: region ?? null, products } };
}
