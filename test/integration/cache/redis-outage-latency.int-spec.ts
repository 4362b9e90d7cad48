import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { CacheService } from '@bff/infra/cache/cache.service';
import type { ReadOutcome } from '@bff/infra/cache/cache.types';
import { createCache } from '@bff/infra/cache/create-cache';
import { record } from '@bff/infra/cache/dependencies';
import { CountingSource } from '../../support/counting-source.js';
import { elapse, eventually } from '../../support/eventually.js';
import { startRedisServer, type RedisServer } from '../../support/redis/redis-server.js';
import { SteadyLoad } from '../../support/steady-load.js';

const PER_SECOND = 200;
const KEYS = 8;
const FETCH_MS = 100;
/** How many ms an outage may add to a fetch (docs/operating/redis-outage.md): until it is noticed, and after that. */
const OVER_FETCH_MS = { atFirst: 140, then: 50 };
/** How long after its begin an outage is noticed: three answers are overdue, and the waiting calls were released. */
const NOTICED_MS = 150;
/**
 * Tolerance for a machine that runs other tests at the same time. Small enough that after `NOTICED_MS` no call can have
 * waited for the timeout of a command (200 ms).
 */
const MACHINE_MS = 100;

/** `strict` is the default. With `off`, every hit goes through Redis. */
describe.each(['strict', 'off'] as const)('an outage of Redis under 200 requests a second, L1 %s', (l1) => {
  let server: RedisServer;
  let cache: CacheService;
  let load: SteadyLoad;
  /** Duration of each fetch, on this machine at this time. */
  let fetchMs: number[];
  const fetch = async () => {
    const begin = performance.now();
    await elapse(FETCH_MS);
    fetchMs.push(performance.now() - begin);
    return 'value';
  };
  beforeEach(async () => {
    server = await startRedisServer();
    cache = createCache({ redisUrl: server.url, appName: 'outage', l1 }); // all else by default: the measured product
    await cache.open();
    fetchMs = [];
    load = new SteadyLoad(PER_SECOND, async (n) => {
      let outcome: ReadOutcome | undefined;
      await cache.getOrSet(`d:${n % KEYS}`, fetch, { onOutcome: (told) => (outcome = told) });
      return outcome;
    });
    await eventually(() => areHits(50), { what: 'nothing but hits' });
  });
  afterEach(async () => {
    await load.stop();
    await cache.close();
    await server.stop();
  });

  const areHits = (count: number) => {
    const last = load.samples.slice(-count);
    return last.length === count && last.every(({ answer }) => answer === 'hit');
  };

  type Step = (redis: RedisServer) => Promise<void>;
  it.each<[string, Step, Step]>([
    ['killed', (redis) => redis.kill('SIGKILL'), (redis) => redis.restart()],
    ['hanging', async (redis) => redis.pause(), async (redis) => redis.resume()],
  ])('%s: no error, no answer much later than a fetch, and hits again soon', async (_, away, back) => {
    const goneAt = performance.now();
    await away(server);
    await elapse(3000);
    await back(server);
    const backAt = performance.now();
    await eventually(() => areHits(PER_SECOND), { what: 'a second of nothing but hits' });
    await load.stop();
    expect(load.samples.map(({ error }) => error).filter(Boolean)).toEqual([]);
    const slowest = (from: number) => Math.max(...load.between(from, backAt).map((sample) => load.waited(sample)));
    const allowed = Math.max(...fetchMs) + MACHINE_MS;
    expect(slowest(goneAt)).toBeLessThan(allowed + OVER_FETCH_MS.atFirst);
    expect(slowest(goneAt + NOTICED_MS)).toBeLessThan(allowed + OVER_FETCH_MS.then);
    const others = load.between(backAt, Infinity).filter(({ answer }) => answer !== 'hit');
    expect(Math.max(...others.map(({ sentAt }) => sentAt)) - backAt).toBeLessThan(1000 + MACHINE_MS);
  });

  it.each(['this', 'another'])(
    'nobody waits for a build of %s process that the store cannot vouch for any more',
    async (where) => {
      const other = createCache({ redisUrl: server.url, appName: 'outage' });
      await other.open();
      const source = new CountingSource('theirs');
      source.hold();
      const build = (where === 'this' ? cache : other).getOrSet('d:slow', source.fetch);
      await source.hasBegun(1);
      const waiting = cache.getOrSet('d:slow', () => elapse(FETCH_MS).then(() => 'ours'));
      await elapse(700); // by now the waiter asks the store only every few hundred milliseconds
      await server.kill('SIGKILL');
      const killedAt = performance.now();
      expect(await waiting).toBe('ours');
      expect(performance.now() - killedAt).toBeLessThan(FETCH_MS + OVER_FETCH_MS.atFirst + MACHINE_MS);
      source.letGo();
      expect(await build).toBe('theirs'); // its caller came before that fetch began
      await other.close();
    },
  );
});

describe('a Redis that is connected and does not answer', () => {
  let server: RedisServer;
  let cache: CacheService;
  beforeEach(async () => {
    server = await startRedisServer();
    cache = createCache({ redisUrl: server.url, appName: 'hangs', l1: 'off' });
    await cache.open();
    await cache.set('d:0', 'value');
  });
  afterEach(async () => {
    await cache.close();
    await server.stop();
  });

  /** Reads until the circuit is open: three answers in a row are overdue. */
  const circuitOpens = async () => {
    await eventually(async () => (await cache.get('d:0')) === undefined && cache.state().status === 'down');
    expect(cache.state().reason).toMatch(/has not answered 3 times in a row: the circuit is open/);
  };

  it('is named in the state, asked for a sign of life without any request, and used again', async () => {
    server.pause();
    await circuitOpens();
    server.resume();
    await eventually(() => cache.state().status === 'up');
    expect(await cache.get('d:0')).toBe('value');
  });

  it('still receives invalidations: they have more patience than reads', async () => {
    server.pause();
    await circuitOpens();
    const acknowledged = cache.invalidate(record('Order', '1'));
    server.resume();
    await expect(acknowledged).resolves.toMatchObject({ dropped: 0 });
  });
});
