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
import type { CacheStore, StartPoint } from '@bff/infra/cache/store/cache-store';
import { MemoryCacheStore } from '@bff/infra/cache/store/memory/memory-cache-store';
import { startRedisServer, type RedisServer } from '../support/redis-server.js';
import { createRedisStores } from './redis-under-test.js';
import { allKeys, value, type StoreUnderTest } from './store-under-test.js';

/** Set it to the seed that a failing run names, and the run repeats. */
const SEED = Number(process.env.CONTRACT_SEED ?? Date.now() % 2_147_483_647);
const TIME_LIMIT_MS = 4_000;

/** Few keys and dependencies, so that they meet often. `ns` sets each run's names apart: the stores outlive a run. */
function names(ns: string) {
  const dependsOn = [record(`${ns}A`, '1'), record(`${ns}A`, '2'), record(`${ns}B`, '1'), membership(`${ns}A`)];
  const keys = [`${ns}x:1`, `${ns}x:2`, `${ns}y:1`, `${ns}y`];
  const wide = [wholeTable(`${ns}A`), wholeTable(`${ns}B`), namespace(`${ns}x`), namespace(`${ns}y`)];
  return { dependsOn, keys, invalidates: [...dependsOn, ...wide, ...keys.map(entry)] };
}

const key = fc.nat({ max: 3 });
const build = fc.nat({ max: 30 });
const deps = fc.uniqueArray(fc.nat({ max: 3 }), { maxLength: 3 });
const command = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('begin' as const), key, known: deps }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('commit' as const), build, deps, isLate: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('renew' as const), build }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('release' as const), build }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('write' as const), key, deps }) },
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
    const seen = new Set<unknown>();
    const property = fc.asyncProperty(fc.array(command, { minLength: 1, maxLength: 60 }), async (commands) => {
      const ns = `run${(runs += 1)}`;
      const [expected, ...others] = await Promise.all(stores.map((store) => transcript(store, ns, commands)));
      for (const other of others) expect(other).toEqual(expected);
      for (const [done, answer] of expected ?? []) if (done === 'commit') seen.add(answer);
    });
    const limits = { interruptAfterTimeLimit: TIME_LIMIT_MS, markInterruptAsFailure: false };
    await fc.assert(property, { seed: SEED, numRuns: 500, ...limits });
    // Without these the sequences would say little. `lost` needs another history.
    for (const reply of ['ok', 'stale', 'fenced', 'expired']) expect(seen).toContain(reply);
  }, 60_000);
});

/** What one store answers to the commands, in terms that are the same for every store. */
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
      const request = { key: keyOf(c.key), leaseId: `lease-${step}`, leaseMs: 60_000, known: pick(dependsOn, c.known) };
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
      return store.write({ key: keyOf(c.key), value: value(`written ${step}`), dependencies, ttlMs: undefined });
    }
    case 'read':
      return (await store.read(keyOf(c.key)))?.bytes.toString();
    case 'status': {
      const { status, leaseId } = await store.status(keyOf(c.key));
      return { status, leaseId };
    }
    case 'keys':
      return (await allKeys(store)).filter((k) => k.startsWith(`${ns}x`) || k.startsWith(`${ns}y`)).sort();
    case 'sweep':
      return store.sweep();
    default:
      return runOnBuild(store, step, c, builds, (key) =>
        storedDependencies(key, 'deps' in c ? pick(dependsOn, c.deps) : []),
      );
  }
}

/** The commands that need a build; on none they do nothing. A build may be committed more than once, as after a lost reply. */
async function runOnBuild(
  store: CacheStore,
  step: number,
  c: Extract<Command, { build: number }>,
  builds: readonly BuildState[],
  dependencies: (key: string) => Dependency[],
): Promise<unknown> {
  const chosen = builds[c.build % Math.max(1, builds.length)];
  if (!chosen) return undefined;
  const { key, leaseId, start } = chosen;
  if (c.do === 'renew') return store.renew(key, leaseId, 60_000);
  if (c.do === 'release') return store.release({ key, leaseId });
  const begun = c.isLate ? { ...start, at: start.at - 600_000 } : start;
  const ttlMs = c.isLate ? 300_000 : undefined;
  const request = { key, leaseId, start: begun, value: value(`built ${step}`), dependencies: dependencies(key), ttlMs };
  return store.commit(request);
}
