import { readFileSync } from 'node:fs';
import { isSalesforceId, toSalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import { describe, expect, it } from '@jest/globals';
import { Org } from '../../apps/sandbox/src/org/org.js';
import { seedTelecomPortal } from '../../apps/sandbox/src/portal/telecom-portal.js';
import { trackedFiles } from './tracked-files.js';

/** Ids that are no record of the sandbox on purpose, each with the reason. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  '000000000000000AAA': 'Salesforce puts it in place of the ids that a GAP_OVERFLOW leaves out',
  '001000000000001': 'the unit test on the page adding-a-cache makes up its own org',
  '001000000000002': 'the unit test on the page adding-a-cache makes up its own org',
  '500000000000001': 'the unit test on the page adding-a-cache makes up its own org',
};

/** Words of 15 or 18 letters and digits, four of them digits: long words of a language have none. */
const CANDIDATE = /\b(?=(?:[A-Za-z]*\d){4})[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?\b/g;
const TABLES = ['Account', 'Case', 'Order', 'OrderItem', 'PricebookEntry', 'Product2'];

const org = new Org();
seedTelecomPortal(org);
const known = new Set(TABLES.flatMap((table) => org.records(table).map(({ Id }) => Id)));

/** The pages, and every source that may hold the text of a `--help`. */
const files = trackedFiles(/\.md$|^(?:apps|libs|tools)\/(?!.*\.spec\.ts$).*\.(?:ts|mjs)$/);
const mentioned = files.flatMap((file) =>
  [...readFileSync(file, 'utf8').matchAll(CANDIDATE)].map(([id]) => ({ file, id })),
);

/** The first id on the page that this pattern captures. */
function idOnPage(page: string, pattern: RegExp): string {
  return pattern.exec(readFileSync(page, 'utf8'))?.[1] ?? `no ${String(pattern)} on ${page}`;
}

describe('the ids of Salesforce on the pages and in --help', () => {
  it('are found', () => {
    expect(known.size).toBeGreaterThan(5_000);
    expect(new Set(mentioned.map(({ file }) => file)).size).toBeGreaterThan(3);
  });

  it('[N8] are records of the sandbox, so that an example can be tried (exceptions: the list in this file)', () => {
    const isReal = (id: string) => isSalesforceId(id) && known.has(toSalesforceId(id));
    expect(mentioned.filter(({ id }) => !isReal(id) && !(id in EXCEPTIONS))).toEqual([]);
  });

  it('are excepted only where they are used', () => {
    const ids = new Set(mentioned.map(({ id }) => id));
    expect(Object.keys(EXCEPTIONS).filter((id) => !ids.has(id))).toEqual([]);
  });

  it.each(['docs/how-to/drop-by-hand.md', 'apps/cdc-worker/src/drop/drop-request.ts'])(
    '[N8] belong together on %s: the order is in the list whose key is shown',
    (page) => {
      const [order] = org.records('Order', { Id: idOnPage(page, /Order\/(801\w{15})/) });
      expect(order?.['AccountId']).toBe(idOnPage(page, /orders:account:(\w+)/));
    },
  );

  it('[N8] name a product that every customer may order, where the page places an order', () => {
    const [product] = org.records('Product2', { Id: idOnPage('docs/reference/http-api.md', /"productId":"(\w+)"/) });
    expect(product).toMatchObject({ IsActive: true, Region__c: null });
    expect(product?.['Family']).not.toBe('Internet');
    expect(org.records('PricebookEntry', { Product2Id: product?.Id, IsActive: true })).not.toEqual([]);
  });
});
