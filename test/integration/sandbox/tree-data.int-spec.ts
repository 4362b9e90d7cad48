import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import jsforce from 'jsforce';
import { startSandbox, type Sandbox } from '../../../apps/sandbox/src/sandbox.js';

const FIXTURE = fileURLToPath(new URL('./fixtures/tree', import.meta.url));
const EXPORT =
  process.env['EVERGREEN_TREE_DATA'] ??
  fileURLToPath(new URL('../../../../shared/data/salesforce-tree', import.meta.url));

async function withSandbox(dataFolder: string, work: (sandbox: Sandbox, query: Query) => Promise<void>): Promise<void> {
  const sandbox = await startSandbox({ port: 0, latencyMs: 0, dataFolder });
  const connection = new jsforce.Connection({
    version: '67.0',
    instanceUrl: sandbox.url,
    accessToken: sandbox.issueToken(),
  });
  try {
    await work(sandbox, async (soql) => (await connection.query(soql)).records);
  } finally {
    await sandbox.close();
  }
}

type Query = (soql: string) => Promise<Record<string, unknown>[]>;

describe('records from sObject tree files', () => {
  it('are added to the made-up ones, nested ones and unknown fields and objects included', () =>
    withSandbox(FIXTURE, async (sandbox, query) => {
      expect(sandbox.loaded.counts).toEqual({
        Account: 1,
        Order: 1,
        OrderItem: 1,
        PricebookEntry: 1,
        Product2: 1,
        Meter__c: 1,
      });
      const [order] = await query(
        `SELECT TotalAmount, Account.Name, Account.Loyalty_Points__c, Account.Joined_On__c,
           (SELECT Quantity, Product2.Name FROM OrderItems) FROM Order WHERE Account.Name = 'Loaded Ltd'`,
      );
      expect(order).toMatchObject({
        TotalAmount: 37.5,
        Account: { Name: 'Loaded Ltd', Loyalty_Points__c: 42, Joined_On__c: '2025-12-24' },
        OrderItems: { records: [{ Quantity: 3, Product2: { Name: 'Loaded product' } }] },
      });
      const [meter] = await query('SELECT Reading__c, Product__r.Name FROM Meter__c');
      expect(meter).toMatchObject({ Reading__c: 7.25, Product__r: { Name: 'Loaded product' } });
      expect(await query('SELECT Id FROM Order')).toHaveLength(2_000);
    }));

  // This test reads real data. Their folder is not part of the project, so a bare clone skips the test.
  const ifPresent = existsSync(EXPORT) ? it : it.skip;
  ifPresent('of a public sample org are all loaded or named as left out', () =>
    withSandbox(EXPORT, async (sandbox, query) => {
      const { counts, leftOut } = sandbox.loaded;
      const loaded = Object.values(counts).reduce((sum, count) => sum + count, 0);
      const files = readdirSync(EXPORT).filter((name) => name.endsWith('.json'));
      const inFiles = files.map((name) => JSON.parse(readFileSync(join(EXPORT, name), 'utf8')).records?.length ?? 0);
      expect(loaded).toBeGreaterThan(100);
      expect(loaded + leftOut.length).toBe(inFiles.reduce((sum, count) => sum + count, 0));
      for (const record of leftOut) expect(record.missing).toMatch(/\w/);
      const grinders = await query(
        "SELECT Name, ProductCode, (SELECT UnitPrice, Pricebook2.Name FROM PricebookEntries) FROM Product2 WHERE Name LIKE '%coffee%'",
      );
      expect(grinders.length).toBeGreaterThan(0);
      const inStandardBook = await query('SELECT Id FROM PricebookEntry WHERE Pricebook2.IsStandard = true');
      expect(inStandardBook.length).toBeGreaterThan(sandbox.org.records('Product2').length / 2);
    }),
  );
});
