import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CacheService } from '@bff/infra/cache/cache.service';
import type { FetchContext, GetOrSetOptions } from '@bff/infra/cache/cache.types';
import { namespace, record, wholeTable } from '@bff/infra/cache/dependencies';
import type {
  BeginReply,
  BeginRequest,
  CacheStore,
  CommitReply,
  CommitRequest,
} from '@bff/infra/cache/protocol/cache-store';
import { MemoryCacheStore } from '@bff/infra/cache/store/memory/memory-cache-store';
import type { L1Mode } from '@bff/infra/cache/store/redis/l1/redis-l1';
import { RedisCacheStore } from '@bff/infra/cache/store/redis/redis-cache-store';
import { ValueCodec } from '@bff/infra/cache/protocol/value-codec';
import { createRedisClient, type RedisClient } from '@bff/infra/redis/redis-client';
import { Redis } from 'ioredis';
import { CoherenceOracle, seededRandom, type Built } from '../support/cache/coherence-oracle.js';
import { elapse } from '../support/eventually.js';
import { startRedisServer, type RedisServer } from '../support/redis/redis-server.js';

const RUN_MS = 4000;
const RUNS_MAX = 8;
const KEYS = ['things:a', 'things:b', 'others:c'];
const RECORDS = ['A', 'B', 'C', 'D'];
const SEED = Number(process.env.RACES_SEED ?? Date.now() % 1_000_000);

/** A store with a deliberate fault: it takes the start point of a build when the build ends, as naive caches do. */
class LateStartStore extends RedisCacheStore {
  override async commit(request: CommitRequest): Promise<CommitReply> {
    const now = await this.begin({
      key: `probe:${request.leaseId}`,
      leaseId: request.leaseId,
      leaseMs: 1000,
      known: [],
    });
    return super.commit({ ...request, start: (now as BeginReply & { kind: 'lease' }).start });
  }
}

/** A store with another fault: it replaces a build's start point by a later one at the grant and at the commit. */
class UnfencedStore extends RedisCacheStore {
  override async begin(request: BeginRequest): Promise<BeginReply> {
    const reply = await super.begin(request);
    return reply.kind === 'lease' ? { ...reply, start: await this.latest(request.leaseId) } : reply;
  }
  override async commit(request: CommitRequest): Promise<CommitReply> {
    return super.commit({ ...request, start: await this.latest(`${request.leaseId}c`) });
  }
  private async latest(leaseId: string) {
    const reply = await super.begin({ key: `probe:${leaseId}`, leaseId, leaseMs: 1000, known: [] });
    return (reply as BeginReply & { kind: 'lease' }).start;
  }
}

describe(`random races against an oracle (RACES_SEED=${SEED})`, () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedisServer();
  });
  afterAll(() => server.stop());

  const onRedis = (Store: typeof RedisCacheStore, appName: string, partitions: number, l1?: L1Mode) => async () => {
    const redis = createRedisClient({ url: server.url, commandTimeoutMs: 5000 });
    await redis.connect();
    const ofL1 = { codec: new ValueCodec(undefined), maxBytes: 1e6, maxEntries: 1000, shouldFreeze: true };
    // Small bounds: the store soon forgets invalidations, and removes only one dependant at once; the sweeper the rest.
    const bounds = { windowMax: 30, inlineMax: 1 };
    return { redis, store: new Store({ redis, appName, partitions, ...bounds, l1: l1 && { mode: l1, ...ofL1 } }) };
  };
  /** Breaks every subscription repeatedly, so that L1s miss invalidations. */
  const withBrokenBus = async <T>(work: Promise<T>): Promise<T> => {
    const admin = new Redis(server.url);
    const timer = setInterval(() => void admin.client('KILL', 'TYPE', 'pubsub').catch(() => undefined), 150);
    try {
      return await work;
    } finally {
      clearInterval(timer);
      admin.disconnect();
    }
  };

  it.each([1, 2])('Redis, %i partition(s), four caches: no read breaks the promise', async (partitions) => {
    const oracle = await race(onRedis(RedisCacheStore, `races${partitions}`, partitions), 4);
    expect(oracle.violations).toEqual([]);
    expect(oracle.reads).toBeGreaterThan(50);
  });

  it.each([1, 2])('L1 strict, %i partition(s): no read breaks the promise', async (partitions) => {
    const oracle = await race(onRedis(RedisCacheStore, `strict${partitions}`, partitions, 'strict'), 4);
    expect(oracle.violations).toEqual([]);
    expect(oracle.reads).toBeGreaterThan(50);
  });

  it('L1 strict, and every L1 misses messages all the time: no read breaks the promise', async () => {
    const oracle = await withBrokenBus(race(onRedis(RedisCacheStore, 'broken-bus', 1, 'strict'), 4));
    expect(oracle.violations).toEqual([]);
    expect(oracle.reads).toBeGreaterThan(50);
  });

  it('and it would be seen: with L1s that nobody waits for, reads do break it', async () => {
    let violations = 0;
    // On a busy machine a race of a few seconds may meet none: each L1 has only a moment to serve the old value.
    for (let round = 0; round < 5 && violations === 0; round++) {
      const oracle = await withBrokenBus(race(onRedis(RedisCacheStore, `bounded${round}`, 1, 'bounded'), 4));
      violations = oracle.violations.length;
    }
    expect(violations).toBeGreaterThan(0);
  });

  it('memory: no read breaks the promise', async () => {
    const oracle = await race(async () => ({ store: new MemoryCacheStore({ maxBytes: 1e6, windowMax: 30 }) }), 1);
    expect(oracle.violations).toEqual([]);
    expect(oracle.reads).toBeGreaterThan(50);
  });

  it.each([
    ['memory', 1, () => async () => ({ store: new MemoryCacheStore({ maxBytes: 1e6, windowMax: 30 }) })],
    ['Redis, L1 strict', 4, (run: number) => onRedis(RedisCacheStore, `background${run}`, 2, 'strict')],
  ])(
    '%s, with builds in the background and sliding ends: no read breaks the promise',
    async (_, count, makerOf) => {
      let staleReads = 0;
      // A busy machine serves few stale values in a run; this repeats until enough stale reads have happened.
      for (let run = 0; staleReads <= 10 && run < RUNS_MAX; run++) {
        const oracle = await race(makerOf(run), count, IN_THE_BACKGROUND);
        expect(oracle.violations).toEqual([]);
        expect(oracle.reads).toBeGreaterThan(50);
        staleReads += oracle.staleReads;
      }
      expect(staleReads).toBeGreaterThan(10);
    },
    60_000,
  );

  it.each([
    ['takes the start point late', LateStartStore],
    ['neither fences nor judges', UnfencedStore],
  ])('and it would be seen: a store that %s is found out', async (_fault, Store) => {
    expect((await race(onRedis(Store, `faulty-${Store.name}`, 1), 4)).violations.length).toBeGreaterThan(0);
  });
});

/** Options for reads; each read draws one entry of such a list. */
const PLAIN: readonly GetOrSetOptions<Built>[] = [{ leaseMs: 15, renewLease: false }, { ttlSeconds: 0.5 }];
const STALE = { whileRevalidateSeconds: 0.2, ifErrorSeconds: 5 };
const IN_THE_BACKGROUND: readonly GetOrSetOptions<Built>[] = [
  ...PLAIN,
  { ttlSeconds: 0.3, refreshAhead: 0.1, ttlJitter: 0.5, stale: STALE },
  { sliding: { seconds: 0.1, absoluteSeconds: 0.4 }, stale: STALE, softTimeoutMs: 10 },
  { fetchTimeoutMs: 20, stale: STALE },
];

type StoreMaker = () => Promise<{ redis?: RedisClient; store: CacheStore }>;

/** Lets random readers and writers use `count` caches for `RUN_MS`, each with a store of its own. */
async function race(
  makeStore: StoreMaker,
  count: number,
  variants: readonly GetOrSetOptions<Built>[] = PLAIN,
): Promise<CountingOracle> {
  const stores = await Promise.all(Array.from({ length: count }, makeStore));
  const caches = stores.map(
    ({ store }) =>
      new CacheService({
        store,
        codec: new ValueCodec(undefined),
        defaults: { waitMs: 30_000, leaseMs: 10_000, safetyTtlSeconds: undefined },
        bypassConcurrency: 8,
      }),
  );
  await Promise.all(caches.map((cache) => cache.open()));
  const oracle = new CountingOracle();
  const random = seededRandom(SEED);
  const until = performance.now() + RUN_MS;
  const actors = caches.flatMap((cache, i) => [
    ...Array.from({ length: 6 }, (_, n) =>
      repeat(until, () => readOnce(cache, oracle, random, variants, `reader ${i}.${n}`)),
    ),
    repeat(until, () => writeOnce(cache, oracle, random)),
  ]);
  await Promise.all(actors);
  await Promise.all(caches.map((cache) => cache.close()));
  for (const { redis } of stores) redis?.disconnect();
  return oracle;
}

async function repeat(until: number, act: () => Promise<void>): Promise<void> {
  while (performance.now() < until) await act();
}

async function readOnce(
  cache: CacheService,
  oracle: CountingOracle,
  random: () => number,
  variants: readonly GetOrSetOptions<Built>[],
  reader: string,
): Promise<void> {
  const key = pick(random, KEYS);
  const options = pick(random, variants);
  const returned = oracle.read(reader);
  const fetch = (context: FetchContext) => fetchThing(oracle, random, context);
  try {
    if (random() < 0.2) returned(await cache.get<Built>(key));
    else if (options.stale && random() < 0.5) {
      const answer = await cache.getOrSetAllowingStale(key, fetch, options);
      if (answer.isStale) oracle.staleReads++;
      else returned(answer.value);
    } else returned(await cache.getOrSet(key, fetch, options));
  } catch (error) {
    if (!FETCH_TIMEOUTS.includes(codeOf(error))) throw error;
  }
  await elapse(random() * 3);
}

/** The error codes of a read whose fetch took too long: in the process that reads, or in another one. */
const FETCH_TIMEOUTS = ['CACHE_FETCH_TIMEOUT', 'CACHE_BUILD_FAILED'];

function codeOf(error: unknown): string {
  return String((error as { code?: unknown }).code);
}

class CountingOracle extends CoherenceOracle {
  staleReads = 0;
}

/**
 * Reads A, one random record, and B if the version of A is odd. Half of the fetches declare their dependencies only at
 * the end.
 */
async function fetchThing(oracle: CoherenceOracle, random: () => number, context: FetchContext): Promise<Built> {
  const wanted = ['A', pick(random, RECORDS)];
  const built: Record<string, number> = {};
  const isEarly = random() < 0.5;
  for (const name of wanted) {
    if (isEarly) context.dependsOn(record('Thing', name));
    built[name] = oracle.version(name);
    if (name === 'A' && built[name] % 2 === 1) wanted.push('B');
    await elapse(random() * 12);
  }
  context.dependsOn(...wanted.map((name) => record('Thing', name)));
  return built;
}

async function writeOnce(cache: CacheService, oracle: CoherenceOracle, random: () => number): Promise<void> {
  const name = pick(random, RECORDS);
  const acknowledge = oracle.write(name);
  const chance = random();
  if (chance < 0.8) await cache.invalidate(record('Thing', name));
  else if (chance < 0.9) await cache.invalidate(wholeTable('Thing'));
  else if (chance < 0.95) await cache.invalidate(namespace('things'), namespace('others'));
  else await cache.del(...KEYS);
  acknowledge();
  await elapse(random() * 25);
}

function pick<T>(random: () => number, items: readonly T[]): T {
  return items[Math.floor(random() * items.length)] as T;
}
