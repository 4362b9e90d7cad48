import { setTimeout as elapse } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { runForCaller } from '@bff/infra/callers/caller';
import { MemorySpendLedger } from '@bff/infra/sources/memory-spend-ledger';
import { runAsWrite } from '@bff/infra/sources/write-work';
import { JsforceSalesforceClient } from '@bff/integrations/salesforce/connection/jsforce-salesforce.client';
import { SalesforceConnection } from '@bff/integrations/salesforce/connection/salesforce-connection';
import { soql } from '@bff/integrations/salesforce/soql';
import { type Sandbox, startSandbox } from '../../../apps/sandbox/src/sandbox.js';
import { eventually } from '../../support/eventually.js';

const LATENCY_MS = 100;

/** Writes down whose requests are sent, in their order: a request is charged when it is sent. */
class SendingOrder extends MemorySpendLedger {
  readonly sent: string[] = [];

  override charge(account: string): void {
    super.charge(account);
    this.sent.push(account);
  }
}

describe('[C2] one account beside another at a Salesforce that takes 100 ms', () => {
  let sandbox: Sandbox;
  let order: SendingOrder;
  let client: JsforceSalesforceClient;
  const attacking: Promise<unknown>[] = [];
  let isAttacked = false;

  beforeAll(async () => {
    sandbox = await startSandbox({ port: 0, latencyMs: 0 });
  });
  afterAll(() => sandbox.close());
  beforeEach(async () => {
    const credentials = { clientId: 'sandbox-client', clientSecret: 'sandbox-secret' };
    order = new SendingOrder();
    const connection = new SalesforceConnection({ loginUrl: sandbox.url, ...credentials, queueMax: 500 });
    client = new JsforceSalesforceClient(connection, { spend: order });
    await client.query(soql`SELECT Id FROM Pricebook2`);
    sandbox.setLatency(LATENCY_MS);
  });
  afterEach(async () => {
    isAttacked = false;
    await Promise.allSettled(attacking.splice(0));
    client.close();
  });

  const refusals: unknown[] = [];
  const madeUpOrder = async () => {
    try {
      await client.query(soql`SELECT Id FROM Order WHERE Id = ${'801000000000001AAA'}`);
    } catch (error) {
      refusals.push(error);
      await elapse(2_000); // a refusal costs the source nothing; without a pause it would cost this machine everything
    }
  };
  /** So many made-up orders in parallel, again and again, as one account. */
  const attack = (parallel: number) => {
    isAttacked = true;
    refusals.length = 0;
    for (let i = 0; i < parallel; i += 1) {
      attacking.push(
        runForCaller({ subject: 'greedy', account: 'greedy' }, async () => {
          while (isAttacked) await madeUpOrder();
        }),
      );
    }
  };
  /** The two queries of a cold page, one after the other, as another account. */
  const page = () =>
    runForCaller({ subject: 'modest', account: 'modest' }, async () => {
      await client.query(soql`SELECT Id FROM Account WHERE Name = ${'A'} LIMIT 1`);
      await client.query(soql`SELECT Id FROM Order WHERE AccountId = ${'001000000000001AAA'} LIMIT 1`);
    });

  it.each([20, 900])('%i made-up orders at a time are overtaken by each request of a page', async (parallel) => {
    attack(parallel);
    await eventually(() => order.sent.length >= 10, { what: 'the attack is under way', withinMs: 60_000 });
    order.sent.length = 0;
    const before = sandbox.counts.salesforce.queries;
    for (let i = 0; i < 5; i += 1) await page();
    const own = order.sent.flatMap((account, at) => (account === 'modest' ? [at] : []));
    expect(own).toHaveLength(10);
    // The first request gets the next place that is free.
    expect(own[0]).toBeLessThanOrEqual(1);
    // Later ones find a place at once: while one of them is answered, the other account sends its share (5), or it may
    // twice where rounds overlap.
    const between = own.slice(1).map((at, i) => at - (own[i] as number) - 1);
    expect(Math.max(...between)).toBeLessThanOrEqual(10);
    expect(sandbox.counts.salesforce.queries - before).toBeLessThanOrEqual(order.sent.length + 10);
    if (parallel > 59) {
      expect(refusals[0]).toMatchObject({
        code: 'SALESFORCE_OVERLOADED',
        message: expect.stringContaining('50 requests of the same account are waiting'),
      });
    }
  });
});

describe('[C2] an org with few requests left', () => {
  const DAILY = 400;
  let sandbox: Sandbox;
  let client: JsforceSalesforceClient;

  beforeAll(async () => {
    sandbox = await startSandbox({ port: 0, latencyMs: 0, dailyRequestsMax: DAILY });
    const credentials = { clientId: 'sandbox-client', clientSecret: 'sandbox-secret' };
    const connection = { loginUrl: sandbox.url, ...credentials, quotaReservePercent: 50 };
    client = new JsforceSalesforceClient(new SalesforceConnection(connection));
  });
  afterAll(() => sandbox.close());

  const as = <T>(account: string, work: () => Promise<T>) => runForCaller({ subject: account, account }, work);
  const read = () => client.query<{ Id: string }>(soql`SELECT Id FROM Account LIMIT 1`);
  const left = () => DAILY - (client.apiUsage()?.used ?? 0);

  it('refuses one after the other the accounts that spend most, its orders last, and takes the orders of others to the end', async () => {
    const [account] = await as('heavy', read);
    for (let i = 0; i < 40; i += 1) await as('middle', read);
    const untilRefused = async (who: string): Promise<void> => {
      for (;;) {
        const error = await as(who, read).then(
          () => undefined,
          (reason: unknown) => reason,
        );
        if (error === undefined) continue;
        expect(error).toMatchObject({ code: 'SALESFORCE_QUOTA_RESERVED' });
        return;
      }
    };
    await untilRefused('heavy');
    const leftAtFirst = left();
    expect(leftAtFirst).toBeLessThan(DAILY / 2);
    expect(leftAtFirst).toBeGreaterThan(DAILY / 2 - 20);
    await as('middle', read);
    await untilRefused('middle');
    expect(left()).toBeLessThan(leftAtFirst);
    await as('light', read);
    const body = { AccountId: account?.Id, Status: 'Draft', EffectiveDate: '2026-11-30' };
    const order = (who: string) =>
      as(who, () =>
        runAsWrite(async () => {
          await read(); // as prices are
          await client.composite([{ method: 'POST', path: '/sobjects/Order', referenceId: 'order', body }]);
        }),
      );
    const leftForWrites = left();
    let placed = 0;
    const refusal = await (async () => {
      for (; ; placed += 1) await order('heavy');
    })().catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'SALESFORCE_QUOTA_RESERVED' });
    expect(placed).toBeGreaterThanOrEqual(2);
    expect(left()).toBeGreaterThan(0.9 * leftForWrites - 2);
    for (let customer = 0; left() >= 2; customer += 1) await order(`customer ${customer}`);
    await untilRefused('light');
    expect(left()).toBeLessThan(2); // one is no order
  });
});
