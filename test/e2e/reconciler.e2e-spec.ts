import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { Portal } from './support/portal.js';

interface Reconciliation {
  /** ISO 8601 in UTC. */
  readonly lastRunAt?: string;
  readonly apiCalls: number;
  readonly missed: number;
  readonly rechecked: number;
  readonly failures: number;
}

interface Order {
  readonly id: string;
  readonly status: string;
}

const PERIOD_SECONDS = 2;
/** A loss is repaired within the period; the rest allows for a busy machine. */
const REPAIRED = { withinMs: PERIOD_SECONDS * 1_000 + 10_000, what: 'the loss is repaired' };

describe('what Salesforce never announced', () => {
  let portal: Portal;
  beforeAll(async () => {
    portal = await Portal.onRedis({ SF_RECONCILE_SECONDS: String(PERIOD_SECONDS) });
    await eventually(async () => (await health()).status === 'up', {
      withinMs: 20_000,
      what: 'every feed is followed',
    });
    await looked();
  });
  afterAll(() => portal.stop());

  const health = async () =>
    (await portal.request('/health/sf-events')).body as { status: string; reconciler?: Reconciliation };
  const reconciled = async () => (await health()).reconciler as Reconciliation;
  const orders = async (customer: number, bff = 0) =>
    (await portal.get('/api/orders', { customer, bff })).body as Order[];
  const misses = async () => {
    type Health = { metrics: { account?: { misses: number } } };
    return ((await portal.request('/health/orders/cache')).body as Health).metrics.account?.misses ?? 0;
  };

  /**
   * Resolves when a run that began after this call has checked every table. The first run that ends may have begun
   * before, so it waits for two.
   */
  async function looked(): Promise<void> {
    for (let runs = 0; runs < 2; runs++) {
      const before = Date.now();
      const isDone = async () => Date.parse((await reconciled())?.lastRunAt ?? '') > before;
      await eventually(isDone, { withinMs: 20_000, what: 'a run of every table' });
    }
  }

  it('is in the next answer of every BFF within the period, and is counted', async () => {
    const [first] = (await Promise.all([0, 1].map((bff) => orders(1, bff))))[0] as [Order];
    const { missed } = await reconciled();
    await portal.fault({ fault: 'drop-events', count: 1, entityName: 'Order' });
    const status = first.status === 'Activated' ? 'Cancelled' : 'Activated';
    await portal.change('Order', first.id, { Status: status });
    const shows = async (bff: number) => (await orders(1, bff)).find(({ id }) => id === first.id)?.status === status;
    expect(await shows(0)).toBe(false); // the event was really lost; otherwise the test would prove nothing
    await eventually(async () => (await shows(0)) && (await shows(1)), REPAIRED);
    await eventually(async () => (await reconciled()).missed === missed + 1, REPAIRED);
  });

  it('is gone within the period when it was deleted', async () => {
    const [first] = (await orders(2)) as [Order];
    await portal.fault({ fault: 'hard-delete', entityName: 'Order', recordId: first.id });
    await eventually(async () => (await orders(2)).every(({ id }) => id !== first.id), REPAIRED);
  });

  it('is not taken for something that was announced: an internal change keeps its entries', async () => {
    const [first] = (await orders(3)) as [Order];
    await looked();
    await orders(3);
    const before = { missed: (await reconciled()).missed, misses: await misses() };
    await portal.change('Order', first.id, { Activation_Status__c: 'Activating' });
    await looked();
    await orders(3);
    expect({ missed: (await reconciled()).missed, misses: await misses() }).toEqual(before);
    expect(await reconciled()).toMatchObject({ failures: 0 });
  });
});
