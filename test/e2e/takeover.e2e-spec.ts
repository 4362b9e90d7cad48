import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import type { AppProcess } from './support/app-process.js';
import { Portal } from './support/portal.js';

interface EventsHealth {
  readonly status: string;
  readonly leader?: string;
  readonly consumers: number;
}

interface Order {
  readonly id: string;
  readonly status: string;
}

/**
 * The lease of a dead worker ends after 3 s, and a stand-by checks it every half second; the rest allows for a busy
 * machine.
 */
const TAKEN_OVER = { withinMs: 10_000, what: 'another worker consumes' };
const STATUSES = ['Cancelled', 'Activated'];

describe('workers', () => {
  let portal: Portal;
  let changes = 0;
  beforeAll(async () => {
    // Without the reconciler, only the events themselves can bring a change to the cache.
    portal = await Portal.onRedis({ SF_RECONCILE_SECONDS: '0' });
    await portal.startWorker();
    await eventually(async () => (await health()).status === 'up', {
      withinMs: 20_000,
      what: 'every feed is followed',
    });
  });
  afterAll(() => portal.stop());

  const health = async () => (await portal.request('/health/sf-events')).body as EventsHealth;
  const alive = () => portal.workers.filter((worker) => !worker.hasExited);
  const orders = async (customer: number) => (await portal.get('/api/orders', { customer })).body as Order[];
  const leader = async (): Promise<AppProcess | undefined> => {
    const pid = Number((await health()).leader?.split(':')[1]);
    return alive().find((worker) => worker.pid === pid);
  };
  const hasTakenOver = (former: AppProcess) => async () => {
    const present = await leader();
    return present !== undefined && present !== former;
  };

  /**
   * Changes the first order of a customer whose list is cached; returns the order as the list must show it from then
   * on.
   */
  async function change(customer: number): Promise<Order> {
    const [first] = await orders(customer);
    const order = { id: first?.id as string, status: STATUSES[changes++ % 2] as string };
    await portal.change('Order', order.id, { Status: order.status });
    return order;
  }
  const shows =
    (customer: number, { id, status }: Order) =>
    async () =>
      (await orders(customer)).find((order) => order.id === id)?.status === status;

  it('take over from one that was killed, and miss nothing that happened in between', async () => {
    const killed = (await leader()) as AppProcess;
    expect((await health()).consumers).toBe(2);
    killed.signal('SIGKILL');
    await killed.exit();
    const order = await change(1);
    await eventually(hasTakenOver(killed), TAKEN_OVER);
    await eventually(shows(1, order), { withinMs: 10_000, what: 'the change is seen' });
    await portal.startWorker();
  });

  it('take over from one that was paused, which stands by when it wakes and spoils nothing', async () => {
    await eventually(async () => (await leader()) !== undefined, TAKEN_OVER);
    const paused = (await leader()) as AppProcess;
    paused.signal('SIGSTOP');
    const orderBefore = await change(2);
    await eventually(hasTakenOver(paused), TAKEN_OVER);
    await eventually(shows(2, orderBefore), { withinMs: 10_000, what: 'the change is seen' });
    paused.signal('SIGCONT');
    const orderAfter = await change(2);
    await eventually(shows(2, orderAfter), { withinMs: 10_000, what: 'the change after it is seen' });
    await eventually(() => paused.output.includes('this one stands by'), { withinMs: 10_000, what: 'it stands by' });
    const present = await leader();
    expect(present).toBeDefined();
    expect(present).not.toBe(paused);
  });

  it('take over at once from one that ends', async () => {
    const ended = (await leader()) as AppProcess;
    await ended.stop('SIGTERM');
    await eventually(hasTakenOver(ended), TAKEN_OVER);
    await portal.startWorker();
  });

  it('lose no change over a series of kills', async () => {
    const expected = new Map<number, Order>();
    for (let kill = 0; kill < 4; kill++) {
      await eventually(async () => (await leader()) !== undefined, TAKEN_OVER);
      const killed = (await leader()) as AppProcess;
      // Some changes before it dies, some while no worker consumes.
      for (const customer of [1, 2, 3]) expected.set(customer, await change(customer));
      killed.signal('SIGKILL');
      await killed.exit();
      for (const customer of [2, 3]) expected.set(customer, await change(customer));
      await portal.startWorker();
    }
    for (const [customer, order] of expected) {
      await eventually(shows(customer, order), { withinMs: 15_000, what: `customer ${customer} sees the last change` });
    }
    await eventually(async () => (await health()).status === 'up', {
      withinMs: 15_000,
      what: 'every feed is followed',
    });
  }, 120_000);
});
