/** A record whose versions a page shows: `OrderItem 802…`. */
export type Fact = `${'Order' | 'OrderItem' | 'Product2' | 'PricebookEntry' | 'Account'} ${string}`;

/** A fact as a page shows it. */
export interface SeenFact {
  readonly fact: Fact;
  readonly version: number;
}

const DAY_MS = 86_400_000;
/** Orders with a date from here on carry a version; generated orders have earlier dates. */
const FIRST_DAY = Date.UTC(2100, 0, 1);
/** Prices from here on carry a version; generated prices are lower. */
const FIRST_PRICE = 10_000_000;

/** The fields whose value carries the version of the record; each of them is shown on some page. */
export const versionFields = {
  order: (version: number) => ({ EffectiveDate: new Date(FIRST_DAY + version * DAY_MS).toISOString().slice(0, 10) }),
  item: (version: number) => ({ Description: `v${version}` }),
  product: (name: string, version: number) => ({ Name: `${name} #${version}` }),
  price: (version: number) => ({ UnitPrice: FIRST_PRICE + version }),
  account: (version: number) => ({ Eligible_Regions__c: `v${version};East` }),
};

/** The name of a product without its version. */
export function plainName(name: string): string {
  return name.replace(/ #\d+$/, '');
}

/** Every fact that the page shows with a version. Values of other writers (a burst, the generated data) carry none. */
export function factsOf(page: unknown): SeenFact[] {
  if (Array.isArray(page)) return page.flatMap((entry) => (isObject(entry) ? orderFacts(entry) : []));
  if (!isObject(page)) return [];
  if ('orderNumber' in page) return orderFacts(page);
  if (Array.isArray(page['products'])) return page['products'].filter(isObject).flatMap(productFacts);
  if (Array.isArray(page['regions']))
    return seen('Account', page['accountId'], matched(/^v(\d+)$/, page['regions'][0]));
  return [];
}

function orderFacts(order: Record<string, unknown>): SeenFact[] {
  const items = Array.isArray(order['items']) ? order['items'].filter(isObject) : [];
  return [
    ...seen('Order', order['id'], dateVersion(order['effectiveDate'])),
    ...items.flatMap((item) => [
      ...seen('OrderItem', item['id'], matched(/^v(\d+)$/, item['description'])),
      ...seen('Product2', item['productId'], matched(/ #(\d+)$/, item['productName'])),
    ]),
  ];
}

function productFacts(product: Record<string, unknown>): SeenFact[] {
  const price = product['price'];
  const version = typeof price === 'number' && price >= FIRST_PRICE ? price - FIRST_PRICE : undefined;
  return [
    ...seen('Product2', product['id'], matched(/ #(\d+)$/, product['name'])),
    ...seen('PricebookEntry', product['id'], version),
  ];
}

function dateVersion(date: unknown): number | undefined {
  if (typeof date !== 'string') return undefined;
  const days = (Date.parse(date) - FIRST_DAY) / DAY_MS;
  return days >= 0 ? days : undefined;
}

function matched(pattern: RegExp, value: unknown): number | undefined {
  const [, digits] = (typeof value === 'string' && pattern.exec(value)) || [];
  return digits === undefined ? undefined : Number(digits);
}

function seen(kind: string, id: unknown, version: number | undefined): SeenFact[] {
  return typeof id === 'string' && version !== undefined ? [{ fact: `${kind} ${id}` as Fact, version }] : [];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
