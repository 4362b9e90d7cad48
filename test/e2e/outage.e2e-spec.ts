import { afterEach, describe, expect, it } from '@jest/globals';
import { elapse, eventually } from '../support/eventually.js';
import type { RedisServer } from '../support/redis/redis-server.js';
import { SteadyLoad, type Sample } from '../support/steady-load.js';
import { LATENCY_MS, Portal, type Answer } from './support/portal.js';

/**
 * Allowances for the slowest answer of an outage: `EXTRA_MS` beyond each fetch, and `MACHINE_MS` because this machine
 * runs everything on two cores.
 */
const EXTRA_MS = 250;
const MACHINE_MS = 250;

interface Order {
  id: string;
  status: string;
}

describe('[P22] Redis stopped under load', () => {
  let portal: Portal;
  afterEach(() => portal.stop());

  const isLive = () =>
    eventually(async () => (await portal.request('/health/sf-events')).status === 200, {
      withinMs: 20_000,
      what: 'the stream is live',
    });
  const committed = async () => {
    const { topics } = (await portal.request('/health/sf-events')).body as {
      topics: { topic: string; lastCommittedReplayId?: string }[];
    };
    return topics.find(({ topic }) => topic === '/data/OrderChangeEvent')?.lastCommittedReplayId;
  };

  it('keeps answering from the source, says so, applies the changes of the meantime, and works again by itself', async () => {
    portal = await Portal.onRedis();
    const redis = portal.redis as RedisServer;
    await isLive();
    const [order] = (await portal.get('/api/orders')).body as [Order];
    const token = await portal.token(1);
    const headers = { authorization: `Bearer ${token}` };
    await portal.request('/api/orders', { headers }, 1);
    await portal.change('Order', order.id, { Description: 'before' });
    await eventually(async () => (await committed()) !== undefined);
    const committedBefore = await committed();

    const answers: Answer[] = [];
    let isLoading = true;
    const load = Array.from({ length: 6 }, async (_, i) => {
      while (isLoading) {
        answers.push(await portal.request('/api/orders', { headers }, i % 2));
        await elapse(20);
      }
    });
    await redis.kill('SIGKILL');
    const outageBegan = answers.length;
    await eventually(async () => JSON.stringify((await portal.request('/health')).body).includes('"down"'), {
      what: 'health says so',
    });
    const status = order.status === 'Cancelled' ? 'Activated' : 'Cancelled';
    await portal.change('Order', order.id, { Status: status });
    await eventually(
      async () => ((await portal.request('/api/orders', { headers })).body as Order[])[0]?.status === status,
      {
        what: 'the source is asked, so the change shows although nothing was invalidated',
      },
    );
    await elapse(1500);
    const duringOutage = answers.slice(outageBegan);

    await redis.restart();
    await eventually(async () => (await committed()) !== committedBefore && (await committed()) !== undefined, {
      withinMs: 15_000,
      what: 'the change is committed after recovery',
    });
    await eventually(async () => (await portal.request('/api/orders', { headers }, 1)).ms < LATENCY_MS, {
      what: 'hits are back',
    });
    isLoading = false;
    await Promise.all(load);

    expect(answers.filter((answer) => answer.status !== 200)).toEqual([]);
    expect(duringOutage.length).toBeGreaterThan(20);
    // An uncached page needs two queries: the user's account, then the orders.
    const slowest = Math.max(...duringOutage.map(({ ms }) => ms));
    expect(slowest).toBeLessThan(2 * (LATENCY_MS + EXTRA_MS) + MACHINE_MS);
    for (const app of [...portal.bffs, portal.worker]) expect(app?.hasExited).toBe(false);
    expect(
      ((await portal.request('/api/orders', { headers })).body as Order[]).find(({ id }) => id === order.id)?.status,
    ).toBe(status);
  });

  it('a change during the outage is applied after recovery although the old entry survived it', async () => {
    portal = await Portal.onRedis();
    const redis = portal.redis as RedisServer;
    await isLive();
    const [order] = (await portal.get('/api/orders')).body as [Order];
    const status = order.status === 'Cancelled' ? 'Activated' : 'Cancelled';
    const before = await committed();
    redis.pause(); // Redis hangs, keeps its data, and comes back with the old entry
    await portal.change('Order', order.id, { Status: status });
    await elapse(1000);
    redis.resume();
    await eventually(async () => (await committed()) !== before, {
      withinMs: 15_000,
      what: 'the event is committed after recovery',
    });
    const { body } = await portal.get('/api/orders', { bff: 1 });
    expect((body as Order[]).find(({ id }) => id === order.id)?.status).toBe(status);
  });
});

describe('[P22] by the numbers: 200 requests a second, Redis away for three seconds, default configuration but for the limits of customers', () => {
  const PER_SECOND = 200;
  /** More than twice as many as an outage needs: 200 a second, each answered after its two fetches. */
  const MOST_UNDER_WAY = 50;
  const CUSTOMERS = 3;
  const AWAY_MS = 3000;
  /**
   * How long a query takes. In an outage a fetch of each of the six keys (two for each customer) may begin every 50 ms
   * (docs/decisions/0002), so with queries of 50 ms these need 6 of the Salesforce client's ten places.
   */
  const FETCH_MS = 50;
  /** An uncached page queries the source twice, one after the other: for the account, then for its orders. */
  const FETCHES = 2;
  /** How much later than its fetch an answer may come in an outage (docs/decisions/0005). */
  const OVER_FETCH_MS = 100;
  /** A second by docs/decisions/0005; the rest is for a machine on which other tests take turns. */
  const BACK_WITHIN_MS = 8000;
  /**
   * Allowance for a busy machine: each page takes some milliseconds of processor time, 200 times a second, and so does
   * each fetch.
   */
  const BUSY_MACHINE_MS = 2000;

  let portal: Portal;
  const loads: SteadyLoad[] = [];
  afterEach(async () => {
    await Promise.all(loads.splice(0).map((each) => each.stop()));
    await portal.stop();
  });
  const loadOf = (...parameters: ConstructorParameters<typeof SteadyLoad>) => {
    const load = new SteadyLoad(...parameters);
    loads.push(load);
    return load;
  };

  type Step = (redis: RedisServer) => Promise<void>;
  it.each<[string, Step, Step]>([
    ['killed and restarted', (redis) => redis.kill('SIGKILL'), (redis) => redis.restart()],
    ['hanging', async (redis) => redis.pause(), async (redis) => redis.resume()],
  ])('%s: no error, no answer later than its fetches allow, and hits again soon', async (_, away, back) => {
    portal = await Portal.onRedis({ SF_RECONCILE_SECONDS: '0' }); // its queries would be counted
    const redis = portal.redis as RedisServer;
    await portal.fault({ fault: 'latency', ms: FETCH_MS });
    const tokens = await Promise.all(Array.from({ length: CUSTOMERS }, (__, i) => portal.token(i + 1)));
    const [order] = (await portal.get('/api/orders')).body as [Order];
    const page = async (n: number) => {
      const headers = { authorization: `Bearer ${tokens[n % CUSTOMERS]}` };
      const { status } = await portal.request('/api/orders', { headers });
      if (status !== 200) throw new Error(`answered ${status}`);
    };
    const load = loadOf(PER_SECOND, page, MOST_UNDER_WAY);
    // Records read directly from the source measure how long a fetch takes on this machine under this load.
    const fetches = loadOf(10, () => portal.salesforce('GET', `/sobjects/Order/${order.id}`));
    /** Resolves once the cache has answered all requests of a second, to when the portal queried last, as far as known. */
    const areHits = async () => {
      let queries = NaN;
      let changedAt = performance.now();
      await eventually(
        async () => {
          const now = await portal.queries();
          if (now !== queries) changedAt = performance.now();
          queries = now;
          return performance.now() - changedAt >= 1000;
        },
        { withinMs: 60_000, what: 'a second in which the cache answers everything' },
      );
      return changedAt;
    };
    await areHits();

    const goneAt = performance.now();
    await away(redis);
    await elapse(AWAY_MS);
    await back(redis);
    const backAt = performance.now();
    const queriedLastAt = await areHits();
    await Promise.all([load.stop(), fetches.stop()]);
    const slowest = (samples: Sample[]) => Math.round(Math.max(...samples.map(({ ms }) => ms)));
    const median = (samples: Sample[]) => samples.map(({ ms }) => ms).sort((a, b) => a - b)[samples.length >> 1] ?? NaN;
    const seen = {
      requests: load.samples.length,
      slowestMs: slowest(load.between(goneAt, Infinity)),
      slowestFetchMs: slowest(fetches.between(goneAt, Infinity)),
      medianMs: Math.round(median(load.between(goneAt, backAt))),
      hitsAgainAfterMs: Math.round(queriedLastAt - backAt),
    };
    process.stdout.write(`    Redis away: ${JSON.stringify(seen)}\n`);
    const errors = load.samples.flatMap(({ error }) => (error instanceof Error ? [error.cause ?? error] : []));
    expect(errors).toEqual([]);
    expect(load.between(goneAt, backAt).length).toBeGreaterThan(PER_SECOND);
    expect(seen.slowestMs).toBeLessThan(FETCHES * (seen.slowestFetchMs + OVER_FETCH_MS) + BUSY_MACHINE_MS);
    expect(seen.hitsAgainAfterMs).toBeLessThan(BACK_WITHIN_MS);
  });
});
