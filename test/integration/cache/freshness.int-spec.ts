import { INTERNALS } from '@bff/infra/cache/read-through/cache-internals';
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { CacheService } from '@bff/infra/cache/cache.service';
import { composeCache, type CacheOptions } from '@bff/infra/cache/create-cache';
import type { ConsumerLeases, ConsumerTerm } from '@bff/infra/fleet/consumer-leases';
import { createFleet, type Fleet } from '@bff/infra/fleet/create-fleet';
import { record } from '@bff/infra/cache/dependencies';
import { DomainCache } from '@bff/infra/cache/domain-cache';
import { changeDriven } from '@bff/infra/cache/strategies';
import { createRedisClient } from '@bff/infra/redis/redis-client';
import { CountingSource } from '../../support/counting-source.js';
import { elapse, eventually } from '../../support/eventually.js';
import { startRedisServer, type RedisServer } from '../../support/redis/redis-server.js';

const THING = record('Thing', '1');
/** Short, so that entries outgrow it during a test; long enough for the steps that must happen within it. */
const BOUND_SECONDS = 0.6;
const BEYOND_MS = BOUND_SECONDS * 1000 + 50;
const LONG_AGO_MS = 3_600_000;
/** How late the effect of a decision may be on a loaded machine. */
const MACHINE_MS = 100;

class ThingsCache extends DomainCache {
  readonly told = this.bucket<string>('told', { strategy: changeDriven({ toldBy: ['Thing', 'ThingItem'] }) });
  readonly untold = this.bucket<string>('untold', { strategy: changeDriven() });
  readonly backedUp = this.bucket<string>('backedUp', {
    strategy: changeDriven({ toldBy: 'Thing' }),
    stale: { ifErrorSeconds: 600 },
  });
  readonly revalidated = this.bucket<string>('revalidated', {
    strategy: changeDriven({ toldBy: 'Thing' }),
    stale: { whileRevalidateSeconds: 600 },
  });
  constructor(cache: CacheService) {
    super('things', cache);
  }
}

/** Follows the feeds, as the consumer of a stream does. */
class Follower {
  private term: ConsumerTerm | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly leases: ConsumerLeases) {}

  /** Repeats `says`, so that the feeds keep this age. */
  async keepsSaying(ageMs: number): Promise<void> {
    clearInterval(this.timer);
    await this.says(ageMs);
    this.timer = setInterval(() => void this.says(ageMs).catch(() => undefined), 100);
  }

  async says(ageMs: number): Promise<void> {
    this.term ??= await this.leases.acquire('test', 'follower', 60_000);
    const ages = ['Thing', 'ThingItem'].map((feed) => [feed, ageMs] as const);
    await this.leases.renew(this.term as ConsumerTerm, 60_000, new Map(ages));
  }

  stop(): void {
    clearInterval(this.timer);
  }
}

interface Composed {
  readonly cache: CacheService;
  readonly leases: Fleet['leases'];
}

interface Stage {
  readonly name: string;
  readonly isShared: boolean;
  readonly hasL1: boolean;
  setUp(): Promise<void>;
  tearDown(): Promise<void>;
  /** Composes one more cache, as in another process: over the same store if the store can be shared. */
  compose(options?: CacheOptions): Composed;
  reset(): void;
}

const OPTIONS: CacheOptions = { feedLostMaxAgeSeconds: BOUND_SECONDS };

function memoryStage(): Stage {
  return {
    name: 'memory',
    isShared: false,
    hasL1: false,
    setUp: async () => undefined,
    tearDown: async () => undefined,
    compose: (options) => {
      const { leases, reports } = createFleet();
      return { cache: composeCache({ feedAges: leases, reports, ...OPTIONS, ...options }), leases };
    },
    reset: () => undefined,
  };
}

function redisStage(l1: 'off' | 'strict'): Stage {
  let server: RedisServer;
  let appName = '';
  return {
    name: `redis, L1 ${l1}`,
    isShared: true,
    hasL1: l1 === 'strict',
    setUp: async () => void (server = await startRedisServer()),
    tearDown: () => server.stop(),
    compose: (options) => {
      const redis = createRedisClient({ url: server.url, commandTimeoutMs: 5000 });
      const { leases, reports } = createFleet({ redis, appName });
      const cache = composeCache(
        { redis, appName, l1, feedAges: leases, reports, ...OPTIONS, ...options },
        async () => {
          await reports.close();
          redis.disconnect();
        },
      );
      return { cache, leases };
    },
    reset: () => void (appName = `t${randomUUID().slice(0, 8)}`),
  };
}

describe.each<Stage>([memoryStage(), redisStage('off'), redisStage('strict')])(
  'the freshness of change-driven entries: $name',
  (stage) => {
    const opened: CacheService[] = [];
    let cache: CacheService;
    let things: ThingsCache;
    let follower: Follower;
    let source: CountingSource<string>;

    const open = async (options?: CacheOptions) => {
      const parts = stage.compose(options);
      opened.push(parts.cache);
      const domain = new ThingsCache(parts.cache);
      await parts.cache.open();
      return { ...parts, domain };
    };
    const isTrusted = () =>
      performance.now() < (cache[INTERNALS].watchFeeds(['Thing', 'ThingItem'])?.trustedUntil ?? NaN);
    const becomesTrusted = async () => {
      await follower.keepsSaying(0);
      await eventually(isTrusted, { what: 'trust' });
    };
    const losesTrust = async () => {
      await follower.keepsSaying(LONG_AGO_MS);
      await eventually(() => !isTrusted(), { what: 'the end of trust' });
    };
    const read = (domain = things) => domain.told.get(['1'], source.fetch);
    const counted = () => things.told.metrics;

    beforeAll(() => stage.setUp());
    afterAll(() => stage.tearDown());
    beforeEach(async () => {
      stage.reset();
      const parts = await open();
      ({ cache } = parts);
      // With an L1 this waits until the new gate is a second old; before that, every forced build would wait.
      await cache.invalidate(record('Nothing', '0'));
      things = parts.domain;
      follower = new Follower(parts.leases);
      source = new CountingSource('v1', [THING]);
    });
    afterEach(async () => {
      follower.stop();
      await Promise.all(opened.splice(0).map((each) => each.close()));
    });

    it('at any age while the feeds are followed', async () => {
      await becomesTrusted();
      await read();
      await elapse(2 * BEYOND_MS);
      for (let i = 0; i < 5; i++) expect(await read()).toBe('v1');
      expect(source.fetches).toBe(1);
      expect(counted()).toMatchObject({ misses: 1, hits: 5, tooOld: 0 });
    });

    it('[invariant 15] up to the bound while nobody follows them: an older entry is built anew, and that one serves for the bound', async () => {
      await read();
      for (let i = 0; i < 5; i++) await read();
      expect(source.fetches).toBe(1);
      await elapse(BEYOND_MS);
      source.value = 'v2';
      const rebuiltAt = performance.now();
      expect(await read()).toBe('v2');
      while (performance.now() - rebuiltAt < BOUND_SECONDS * 400) expect(await read()).toBe('v2');
      expect(source.fetches).toBe(2);
      expect(counted()).toMatchObject({ misses: 2, coalesced: 0, tooOld: 1, errors: 0 });
      await elapse(BEYOND_MS);
      await read();
      expect(source.fetches).toBe(3);
    });

    it('up to the bound when a feed is not followed any more, and at any age again when it is', async () => {
      await becomesTrusted();
      await read();
      follower.stop(); // without further reports trust expires by itself
      await eventually(() => !isTrusted());
      await elapse(BEYOND_MS);
      source.value = 'v2';
      expect(await read()).toBe('v2');
      await becomesTrusted();
      await elapse(BEYOND_MS);
      expect(await read()).toBe('v2');
      expect(source.fetches).toBe(2);
      await cache.invalidate(THING);
      source.value = 'v3';
      expect(await read()).toBe('v3');
      expect(counted().tooOld).toBe(1);
    });

    it('up to the bound when it turns out that something was missed', async () => {
      await becomesTrusted();
      await read();
      await elapse(BEYOND_MS);
      await losesTrust();
      source.value = 'v2';
      expect(await read()).toBe('v2');
      expect(await things.untold.get(['1'], source.fetch)).toBe('v2');
      await elapse(BEYOND_MS);
      source.value = 'v3';
      expect(await things.untold.get(['1'], source.fetch)).toBe('v2'); // names no feed: trusted without any follower
      expect(things.untold.metrics.tooOld).toBe(0);
    });

    it('not beyond it in a process that has stood still, although nothing has told it the time', async () => {
      await becomesTrusted();
      await read();
      follower.stop();
      const until = performance.now() + BEYOND_MS;
      while (performance.now() < until); // no timer runs, and nothing that arrives is read
      source.value = 'v2';
      expect(await read()).toBe('v2');
    });

    it('with one fetch for all who find it too old together', async () => {
      await read();
      await elapse(BEYOND_MS);
      source.value = 'v2';
      source.hold();
      const reads = Array.from({ length: 100 }, () => read());
      await source.hasBegun(2);
      const later = Array.from({ length: 20 }, () => read());
      await eventually(() => counted().tooOld === 120);
      source.letGo();
      expect(new Set(await Promise.all([...reads, ...later]))).toEqual(new Set(['v2']));
      expect(source.fetches).toBe(2);
      expect(counted()).toMatchObject({ misses: 2, coalesced: 119, hits: 0, tooOld: 120 });
    });

    it('or the error of the fetch, and never the old value', async () => {
      await read();
      await elapse(BEYOND_MS);
      const down = () => Promise.reject(new Error('the source is down'));
      for (let i = 0; i < 2; i++) {
        await expect(things.told.get(['1'], down)).rejects.toThrow('the source is down');
      }
      expect(counted()).toMatchObject({ errors: 2, tooOld: 2 });
      source.value = 'v2';
      expect(await read()).toBe('v2');
    });

    it('does not make those wait who may have the entry, while it is built anew for others', async () => {
      await read();
      await elapse(BEYOND_MS);
      source.value = 'v2';
      source.hold();
      const bounded = read();
      await source.hasBegun(2);
      expect(await cache.getOrSet('things:told:1', source.fetch)).toBe('v1');
      source.letGo();
      expect(await bounded).toBe('v2');
      expect(source.fetches).toBe(2);
    });

    it('a caller may want a younger one, whether or not the feeds are followed', async () => {
      await becomesTrusted();
      await read();
      await elapse(100);
      source.value = 'v2';
      const ask = (maxAgeSeconds: number) => things.told.get(['1'], source.fetch, { maxAgeSeconds });
      expect(await ask(60)).toBe('v1');
      expect(await ask(0.1)).toBe('v2');
      expect(await read()).toBe('v2');
      expect(await cache.getOrSet('things:told:1', async () => 'v3', { maxAgeSeconds: 0 })).toBe('v3');
      expect(await read()).toBe('v3');
      expect(source.fetches).toBe(2);
      expect(counted().tooOld).toBe(1);
      await expect(ask(-1)).rejects.toMatchObject({ code: 'CACHE_INVALID_OPTION' });
    });

    it('a fetch that takes longer than the bound serves those who came before it, and once more those who came after', async () => {
      await read();
      await elapse(BEYOND_MS);
      source.hold();
      const early = read();
      await source.hasBegun(2);
      source.value = 'v2';
      await elapse(BEYOND_MS);
      const late = Array.from({ length: 10 }, () => read());
      await elapse(50); // they have asked the store by now
      source.letGo();
      expect(await early).toBe('v1');
      expect(await Promise.all(late)).toEqual(Array(10).fill('v2'));
      expect(source.fetches).toBe(3);
    });

    it('stands in for a fetch that fails where a stale value may, and is marked as one from its bound on', async () => {
      const ask = (fetch: () => Promise<string>) => things.backedUp.getAllowingStale(['1'], fetch);
      const fetched = performance.now();
      await things.backedUp.get(['1'], source.fetch);
      await elapse(BEYOND_MS);
      const down = () => Promise.reject(new Error('the source is down'));
      const stale = await ask(down);
      expect(stale).toEqual({ value: 'v1', isStale: true, staleForMs: expect.any(Number) });
      const { staleForMs } = stale as { staleForMs: number };
      expect(staleForMs).toBeGreaterThan(0);
      expect(staleForMs).toBeLessThan(performance.now() - fetched - BOUND_SECONDS * 1000 + 300);
      await expect(things.backedUp.get(['1'], down)).rejects.toThrow('the source is down');
      expect(things.backedUp.metrics).toMatchObject({ stale: 1, tooOld: 2 });
      source.value = 'v2';
      expect(await things.backedUp.getAllowingStale(['1'], source.fetch)).toEqual({ value: 'v2', isStale: false });
      await cache.del('things:backedUp:1');
      await expect(ask(down)).rejects.toThrow('the source is down');
    });

    it('is replaced in the background where a stale value is answered at once', async () => {
      await things.revalidated.get(['1'], source.fetch);
      await elapse(BEYOND_MS);
      source.value = 'v2';
      const ask = () => things.revalidated.getAllowingStale(['1'], source.fetch);
      expect(await ask()).toMatchObject({ value: 'v1', isStale: true });
      await eventually(async () => (await ask()).value === 'v2');
      await eventually(() => things.revalidated.metrics.refreshes === 1);
      expect(source.fetches).toBe(2);
    });

    it('whatever the bounds of those who read at the same time: no caller is given what is older than its own allows', async () => {
      const caches = stage.isShared ? [cache, (await open()).cache, (await open()).cache] : [cache];
      const wrong: string[] = [];
      let fetches = 0;
      const fetch = async () => {
        const begunAt = performance.now();
        fetches++;
        await elapse(Math.random() * 60);
        return begunAt;
      };
      const reader = async (each: CacheService, until: number) => {
        while (performance.now() < until) {
          const maxAgeSeconds = [0.05, 0.2, 0.4][Math.floor(Math.random() * 3)] as number;
          const askedAt = performance.now();
          const begunAt = await each.getOrSet(`things:age:${Math.floor(Math.random() * 3)}`, fetch, { maxAgeSeconds });
          const ageMs = performance.now() - begunAt;
          const isOfThisCall = begunAt >= askedAt;
          if (!isOfThisCall && ageMs > maxAgeSeconds * 1000 + MACHINE_MS) wrong.push(`${ageMs} of ${maxAgeSeconds} s`);
          await elapse(Math.random() * 10);
        }
      };
      const until = performance.now() + 2000;
      await Promise.all(caches.flatMap((each) => Array.from({ length: 8 }, () => reader(each, until))));
      expect(wrong).toEqual([]);
      expect(fetches).toBeGreaterThan(20);
      // Twice as many as if each of the three keys were built every 50 ms.
      expect(fetches).toBeLessThan((2 * 3 * 2000) / 50);
    });

    it('changes nothing in a cache without a bound for lost feeds', async () => {
      const { domain } = await open({ feedLostMaxAgeSeconds: undefined });
      await domain.told.get(['1'], source.fetch);
      await elapse(BEYOND_MS);
      expect(await domain.told.get(['1'], source.fetch)).toBe('v1');
      expect(source.fetches).toBe(1);
    });

    it('refuses a bound that is none', () => {
      for (const feedLostMaxAgeSeconds of [0, NaN, Infinity]) {
        expect(() => composeCache({ feedLostMaxAgeSeconds })).toThrow(/feedLostMaxAgeSeconds/);
      }
    });

    it('refuses a bound without the feeds that it bounds, and says where they come from', () => {
      const composed = () => composeCache({ feedLostMaxAgeSeconds: 60 });
      expect(composed).toThrow(expect.objectContaining({ code: 'CACHE_INVALID_OPTION' }));
      expect(composed).toThrow(/needs feedAges: give the leases of `createFleet`/);
    });

    if (stage.hasL1) {
      /** Whether the L1 holds the key: all its hits share one promise. */
      const isInL1 = (key: string) => cache.getOrSet(key, source.fetch) === cache.getOrSet(key, source.fetch);

      it('not from the process` own memory, which knows no ages; what is built anew is kept there all the same', async () => {
        await becomesTrusted();
        await read();
        await eventually(() => isInL1('things:told:1'));
        await losesTrust();
        await elapse(BEYOND_MS);
        source.value = 'v2';
        expect(await read()).toBe('v2');
        await becomesTrusted();
        expect(isInL1('things:told:1')).toBe(true);
        expect(await read()).toBe('v2');
        expect(source.fetches).toBe(2);
      });
    }

    if (!stage.isShared) return;

    it('with one fetch over all processes that find it too old', async () => {
      const others = await Promise.all([open(), open(), open()]);
      await read();
      for (let round = 1; ; round += 1) {
        await elapse(BEYOND_MS);
        const before = source.fetches;
        source.value = `v${before + 1}`;
        source.hold();
        const beganAt = performance.now();
        const reads = [things, ...others.map(({ domain }) => domain)].flatMap((domain) =>
          Array.from({ length: 25 }, () => read(domain)),
        );
        await source.hasBegun(before + 1);
        await elapse(200);
        source.letGo();
        expect(new Set(await Promise.all(reads))).toEqual(new Set([`v${before + 1}`]));
        // In a round that outlasts the bound, the new entry is too old for the last readers.
        if (performance.now() - beganAt < BOUND_SECONDS * 1_000) {
          expect(source.fetches).toBe(before + 1);
          break;
        }
        expect(round).toBeLessThan(10);
      }
    });

    it('goes on with the next builder when one has died with the lease', async () => {
      const { cache: dying } = await open();
      await read();
      await elapse(BEYOND_MS);
      const hanging = new CountingSource('lost');
      hanging.hold();
      const lost = dying.getOrSet('things:told:1', hanging.fetch, {
        maxAgeSeconds: BOUND_SECONDS,
        leaseMs: 300,
        renewLease: false,
      });
      await hanging.hasBegun(1);
      source.value = 'v2';
      expect(await read()).toBe('v2');
      hanging.letGo();
      expect(await lost).toBe('lost'); // only its own caller receives it
      expect(await read()).toBe('v2');
      // The dead builder's value has reached a caller, and nobody knows which of the two fetches was later. So the
      // store keeps neither value, and the last read fetches again.
      expect(source.fetches).toBe(3);
    });

    it('at any age in a process that starts while the feeds are followed: no entry is built anew because it is new', async () => {
      await becomesTrusted();
      await read();
      await elapse(BEYOND_MS);
      const { domain } = await open();
      expect(await read(domain)).toBe('v1');
      expect(source.fetches).toBe(1);
    });
  },
);
