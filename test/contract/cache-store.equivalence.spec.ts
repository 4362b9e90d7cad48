import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  entry,
  membership,
  namespace,
  record,
  storedDependencies,
  wholeTable,
  type Dependency,
} from '@bff/infra/cache/dependencies';
import type { CacheStore, StartPoint } from '@bff/infra/cache/protocol/cache-store';
import { MemoryCacheStore } from '@bff/infra/cache/store/memory/memory-cache-store';
import { elapse } from '../support/eventually.js';
import { startRedisServer, type RedisServer } from '../support/redis/redis-server.js';
import { createRedisStores } from './redis-under-test.js';
import { allKeys, startBuild, sweepAll, value, type StoreUnderTest } from './store-under-test.js';

/** To repeat a failing run, set CONTRACT_SEED to the seed that it names. */
const SEED = Number(process.env.CONTRACT_SEED ?? Date.now() % 2_147_483_647);
const TIME_LIMIT_MS = 6_000;
const LONG_MS = 300_000;
/** A TTL that has not passed at the commit even on a loaded machine; `ENDED_MS` later it has passed by every clock. */
const SHORT_MS = 200;
const ENDED_MS = 205;
const TTL_MS = { none: undefined, long: LONG_MS, short: SHORT_MS } as const;

/**
 * Few keys and dependencies, so that they meet often. `ns` separates each run's names, because the stores outlive a
 * run.
 */
function names(ns: string) {
  const dependsOn = [record(`${ns}A`, '1'), record(`${ns}A`, '2'), record(`${ns}B`, '1'), membership(`${ns}A`)];
  const keys = [`${ns}x:1`, `${ns}x:2`, `${ns}y:1`, `${ns}y`];
  const wide = [wholeTable(`${ns}A`), wholeTable(`${ns}B`), namespace(`${ns}x`), namespace(`${ns}y`)];
  return { dependsOn, keys, invalidates: [...dependsOn, ...wide, ...keys.map(entry)] };
}

const key = fc.nat({ max: 3 });
/** Which build a command is for, counted back from the latest one, which most often still has its lease. */
const build = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 2, arbitrary: fc.nat({ max: 30 }) });
const deps = fc.uniqueArray(fc.nat({ max: 3 }), { maxLength: 3 });
/** `none` no TTL · `long` does not end within a run · `short` has ended before the next command. */
const life = fc.oneof(
  { weight: 20, arbitrary: fc.constant('none' as const) },
  { weight: 12, arbitrary: fc.constant('long' as const) },
  { weight: 1, arbitrary: fc.constant('short' as const) }, // rare, because it takes time
);
const refresh = fc.nat({ max: 4 }).map((n) => n === 0);
const begin = fc.record({ do: fc.constant('begin' as const), key, known: deps, refresh });
const commit = {
  do: fc.constant('commit' as const),
  build,
  deps,
  isLate: fc.boolean(),
  life,
  hasCopy: fc.nat({ max: 3 }).map((n) => n > 0),
  supersedes: fc.constantFrom(undefined, undefined, undefined, 'if-stored' as const, 'always' as const),
};
const command = fc.oneof(
  { weight: 6, arbitrary: begin },
  { weight: 6, arbitrary: fc.record(commit) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('renew' as const), build }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('release' as const), build }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('write' as const), key, deps, life }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('lockedWrite' as const), build, deps }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('extend' as const),
      key,
      absoluteMs: fc.constantFrom(undefined, 1, 90_000),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('readStale' as const), key }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('invalidate' as const),
      which: fc.uniqueArray(fc.nat({ max: 11 }), { minLength: 1, maxLength: 2 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('read' as const), key }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('status' as const), key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('keys' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('sweep' as const) }) },
);
type Command = typeof command extends fc.Arbitrary<infer C> ? C : never;

/** A sequence that produces the answers which random sequences produce too rarely. */
const everyAnswer: Command[] = [
  { do: 'begin', key: 0, known: [], refresh: false },
  { do: 'renew', build: 0 },
  { do: 'commit', build: 0, deps: [0], isLate: false, life: 'long', hasCopy: true, supersedes: undefined },
  { do: 'commit', build: 0, deps: [0], isLate: false, life: 'none', hasCopy: false, supersedes: undefined }, // fenced: stored already
  { do: 'renew', build: 0 },
  { do: 'extend', key: 0, absoluteMs: undefined },
  { do: 'begin', key: 0, known: [], refresh: true },
  { do: 'invalidate', which: [0] },
  { do: 'readStale', key: 0 },
  { do: 'extend', key: 0, absoluteMs: undefined },
  { do: 'commit', build: 0, deps: [0], isLate: false, life: 'none', hasCopy: false, supersedes: undefined }, // stale
  { do: 'begin', key: 1, known: [], refresh: false },
  { do: 'lockedWrite', build: 0, deps: [1] },
  { do: 'lockedWrite', build: 0, deps: [1] },
  { do: 'begin', key: 2, known: [], refresh: false },
  { do: 'commit', build: 0, deps: [2], isLate: true, life: 'none', hasCopy: false, supersedes: undefined }, // expired
  { do: 'begin', key: 3, known: [], refresh: false },
  { do: 'commit', build: 0, deps: [3], isLate: false, life: 'short', hasCopy: true, supersedes: undefined },
  { do: 'readStale', key: 3 },
  { do: 'sweep' },
  { do: 'keys' },
];

/** A forced commit that is refused because another build holds the lease overtakes it: the next caller gets a lease. */
const forcedBesideALease: Command[] = [
  { do: 'begin', key: 0, known: [], refresh: true },
  { do: 'commit', build: 0, deps: [], isLate: true, life: 'none', hasCopy: false, supersedes: undefined }, // expired
  { do: 'begin', key: 0, known: [], refresh: false },
  { do: 'commit', build: 1, deps: [], isLate: true, life: 'none', hasCopy: false, supersedes: 'always' }, // fenced
  { do: 'begin', key: 0, known: [], refresh: false },
];

type Answer = readonly [command: string, answer: unknown];

interface BuildState {
  readonly key: string;
  readonly leaseId: string;
  readonly start: StartPoint;
}

describe('the memory store and the Redis store', () => {
  let server: RedisServer;
  const redis: StoreUnderTest[] = [];
  const memory = new MemoryCacheStore();
  let runs = 0;

  beforeAll(async () => {
    server = await startRedisServer();
    redis.push(await createRedisStores(server, 1), await createRedisStores(server, 3));
  });
  afterAll(async () => {
    await Promise.all(redis.map((sut) => sut.close()));
    await memory.close();
    await server.stop();
  });

  it(`give the same answers to any sequence of operations (CONTRACT_SEED=${SEED})`, async () => {
    const stores: CacheStore[] = [memory, ...redis.map((sut) => sut.store)];
    const seen = new Map<string, Set<unknown>>();
    const until = performance.now() + TIME_LIMIT_MS;
    const property = fc.asyncProperty(
      fc.array(command, { minLength: 1, maxLength: 60, size: 'max' }),
      async (commands) => {
        if (performance.now() > until) return;
        const ns = `run${(runs += 1)}`;
        const [expected, ...others] = await Promise.all(stores.map((store) => transcript(store, ns, commands)));
        for (const other of others) expect(other).toEqual(expected);
        for (const [done, answer] of expected ?? []) seen.set(done, (seen.get(done) ?? new Set()).add(answer));
      },
    );
    await fc.assert(property, { seed: SEED, numRuns: 500, examples: [[everyAnswer], [forcedBesideALease]] });
    // Without these answers the sequences would show little. `lost` needs another history or a window that overflows.
    for (const reply of ['ok', 'stale', 'fenced', 'expired']) expect(seen.get('commit')).toContain(reply);
    for (const done of ['extend', 'lockedWrite', 'renew'])
      for (const answer of [true, false]) expect(seen.get(done)).toContain(answer);
    expect(seen.get('readStale')?.size).toBeGreaterThan(1);
  }, 60_000);
});

/** One store's answers to the commands, in terms that are the same for every store. */
async function transcript(store: CacheStore, ns: string, commands: readonly Command[]): Promise<Answer[]> {
  const builds: BuildState[] = [];
  const answers: Answer[] = [];
  for (const [step, c] of commands.entries()) answers.push([c.do, await run(store, ns, step, c, builds)]);
  return answers;
}

async function run(store: CacheStore, ns: string, step: number, c: Command, builds: BuildState[]): Promise<unknown> {
  const { dependsOn, keys, invalidates } = names(ns);
  const pick = (all: readonly Dependency[], indexes: readonly number[]) => indexes.map((i) => all[i] as Dependency);
  const keyOf = (index: number) => keys[index] as string;
  switch (c.do) {
    case 'begin': {
      const { refresh } = c;
      const known = pick(dependsOn, c.known);
      const request = { key: keyOf(c.key), leaseId: `lease-${step}`, leaseMs: 60_000, known, refresh };
      const reply = await store.begin(request);
      if (reply.kind === 'lease') builds.push({ ...request, start: reply.start });
      if (reply.kind === 'fresh') return reply.value.bytes.toString();
      return reply.kind === 'wait' ? { wait: reply.leaseId } : reply.kind;
    }
    case 'invalidate': {
      const { dropped, keys: fallen, deferred } = await store.invalidate(pick(invalidates, c.which));
      return { dropped, deferred, keys: [...fallen].sort() };
    }
    case 'write': {
      const dependencies = storedDependencies(keyOf(c.key), pick(dependsOn, c.deps));
      const ttlMs = TTL_MS[c.life];
      const written = await store.write({ key: keyOf(c.key), value: value(`written ${step}`), dependencies, ttlMs });
      if (c.life === 'short') await elapse(ENDED_MS);
      return written;
    }
    case 'extend':
      return store.extend(keyOf(c.key), 2 * LONG_MS, c.absoluteMs);
    case 'readStale':
      return (await store.readStale(keyOf(c.key)))?.value.bytes.toString();
    case 'read':
      return (await store.read(keyOf(c.key)))?.bytes.toString();
    case 'status': {
      const { status, leaseId } = await store.status(keyOf(c.key));
      return { status, leaseId };
    }
    case 'keys':
      return (await allKeys(store)).filter((k) => k.startsWith(`${ns}x`) || k.startsWith(`${ns}y`)).sort();
    case 'sweep':
      await sweepAll(store); // not compared: what a sweep finds depends on what each store has freed before
      return undefined;
    default:
      return runOnBuild(store, step, c, builds, (key) =>
        storedDependencies(key, 'deps' in c ? pick(dependsOn, c.deps) : []),
      );
  }
}

/**
 * The commands that need a build; without one they do nothing. A build may be committed repeatedly, as after a lost
 * reply.
 */
async function runOnBuild(
  store: CacheStore,
  step: number,
  c: Extract<Command, { build: number }>,
  builds: readonly BuildState[],
  dependencies: (key: string) => Dependency[],
): Promise<unknown> {
  const chosen = builds.at(-1 - (c.build % Math.max(1, builds.length)));
  if (!chosen) return undefined;
  const { key, leaseId, start } = chosen;
  if (c.do === 'renew') return store.renew(key, leaseId, 60_000);
  if (c.do === 'release') return store.release({ key, leaseId });
  const content = { key, leaseId, value: value(`built ${step}`), dependencies: dependencies(key) };
  if (c.do === 'lockedWrite') return store.write({ ...content, ttlMs: undefined });
  const ttlMs = c.isLate ? LONG_MS : TTL_MS[c.life];
  const begunAt = c.isLate ? start.at - 1.5 * LONG_MS : c.life === 'short' ? await storeTime(store, key) : start.at;
  const staleMs = c.hasCopy ? LONG_MS : 0;
  const reply = await store.commit({
    ...content,
    start: { ...start, at: begunAt },
    ttlMs,
    staleMs,
    supersedes: c.supersedes,
  });
  if (c.life === 'short') await elapse(ENDED_MS);
  return reply;
}

/** The store's current time: a short life counts from it, not from the start point of its build. */
async function storeTime(store: CacheStore, key: string): Promise<number> {
  const probe = await startBuild(store, `${key}:time`);
  await store.release(probe);
  return probe.start.at;
}
