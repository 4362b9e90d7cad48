import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { elapse, eventually } from '../support/eventually.js';
import { Portal } from './support/portal.js';

const BOUND_SECONDS = 4;
const WATCHDOG_SECONDS = 6;

interface EventsHealth {
  readonly status: string;
  readonly reason?: string;
  readonly feeds: readonly { readonly feed: string; readonly state: string }[];
}

interface Order {
  readonly id: string;
  readonly status: string;
}

/**
 * Two ways to lose the stream; in both no event announces a change. `cut`: connections break, and so do new ones.
 * `silent`: connections stay, but nothing arrives, so that only the watchdog notices it.
 */
const losses = [
  { name: 'cut', fault: { fault: 'drop-connections', transport: 'pubsub', next: 1_000 } },
  { name: 'silent', fault: { fault: 'silence', transport: 'pubsub', isOn: true } },
];

describe('while the stream is lost', () => {
  let portal: Portal;
  beforeAll(async () => {
    portal = await Portal.onRedis({
      SF_STREAM_LOST_MAX_AGE_SECONDS: String(BOUND_SECONDS),
      SF_STREAM_WATCHDOG_SECONDS: String(WATCHDOG_SECONDS),
      SF_RECONCILE_SECONDS: '0',
    });
    // With fewer keep-alives (Salesforce sends one every 270 s), the watchdog would take an idle stream for a lost one.
    await portal.fault({ fault: 'timing', keepaliveMs: 1_000 });
    await isUp();
  });
  afterAll(() => portal.stop());

  const health = async () => (await portal.request('/health/sf-events')).body as EventsHealth;
  const isUp = () =>
    eventually(async () => (await health()).status === 'up', { withinMs: 60_000, what: 'every feed is followed' });
  const orders = async (bff: number) => (await portal.get('/api/orders', { bff })).body as Order[];
  const misses = async () => {
    const { metrics } = (await portal.request('/health/orders/cache')).body as {
      metrics: { account: { misses: number } };
    };
    return metrics.account.misses;
  };

  it.each(losses)(
    '($name) nothing older than the bound is served, health says so, and trust returns by itself',
    async ({ fault }) => {
      const [before] = await orders(0);
      await orders(1);
      const status = before?.status === 'Cancelled' ? 'Activated' : 'Cancelled';
      await portal.fault(fault);
      await portal.change('Order', before?.id as string, { Status: status });
      const changedAt = performance.now();
      for (const bff of [0, 1]) {
        await eventually(async () => (await orders(bff))[0]?.status === status, {
          withinMs: 30_000,
          what: 'the change is seen',
        });
      }
      const seenAfterMs = performance.now() - changedAt;
      expect(seenAfterMs).toBeGreaterThan(100); // an event would have shown it sooner, so the stream was lost
      // Health says it a little later: each BFF asks the store once a second, and the feeds change their state one by
      // one.
      const saysSo = async () => {
        const { status, feeds } = await health();
        const isOrderLost = feeds.find(({ feed }) => feed === 'Order')?.state !== 'live';
        const whole = (await portal.request('/health')).body as { details: { 'sf-events': { status: string } } };
        return status !== 'up' && isOrderLost && whole.details['sf-events'].status === 'degraded';
      };
      await eventually(saysSo, { withinMs: 20_000, what: 'health says so' });

      // The value is served up to the bound, and fetched again after it.
      await eventually(async () => (await health()).feeds.every(({ state }) => state === 'lost'), { withinMs: 30_000 });
      const missed = await misses();
      await eventually(async () => (await orders(0), (await misses()) > missed), {
        withinMs: 30_000,
        what: 'a fetch for age',
      });

      await fetch(`${portal.sandboxUrl}/sandbox/faults`, { method: 'DELETE' });
      await portal.fault({ fault: 'timing', keepaliveMs: 1_000 });
      await isUp();
      await orders(0);
      await elapse(2_500); // by then this BFF trusts the feeds again, and the counters are published
      const trusted = await misses();
      await elapse((BOUND_SECONDS + 1) * 1_000);
      await orders(0);
      await elapse(1_500);
      expect(await misses()).toBe(trusted);
    },
    180_000,
  );
});
