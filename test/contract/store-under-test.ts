import { randomUUID } from 'node:crypto';
import { storedDependencies, type Dependency } from '@bff/infra/cache/dependencies';
import type {
  BeginReply,
  CacheStore,
  CommitReply,
  StartPoint,
  StoredValue,
} from '@bff/infra/cache/protocol/cache-store';
import { eventually } from '../support/eventually.js';
import { expect } from './expect.js';

export interface StoreSettings {
  /** Maximum number of invalidated dependencies that the store remembers. */
  readonly windowMax?: number;
  /** Maximum number of dependants that an invalidation removes at once, where a store leaves others to the sweeper. */
  readonly inlineMax?: number;
}

/** One empty store, with the facts that a test needs and the port does not provide. */
export interface StoreUnderTest {
  readonly store: CacheStore;
  /** The same entries as another process sees them; the store itself if only one process can see them. */
  readonly other: CacheStore;
  /** Number of keys that the store keeps for entries, leases and their index: 0 when there is no entry and no build. */
  countIndexKeys(): Promise<number>;
  close(): Promise<void>;
}

export type StoreFactory = (settings?: StoreSettings) => Promise<StoreUnderTest>;

/** A build that holds its lease. */
export interface Build {
  readonly key: string;
  readonly leaseId: string;
  readonly start: StartPoint;
  /** Commits with these dependencies and those that the store adds by itself. */
  commit(text: string, dependencies?: readonly Dependency[], options?: CommitOptions): Promise<CommitReply>;
}

export interface CommitOptions {
  readonly ttlMs?: number;
  /** Backdates the start of the build, which simulates a paused builder without the pause. */
  readonly begunMsAgo?: number;
}

export function value(text: string): StoredValue {
  return { codec: 1, bytes: Buffer.from(text) };
}

export async function begin(
  store: CacheStore,
  key: string,
  options: { leaseMs?: number; known?: readonly Dependency[] } = {},
): Promise<{ reply: BeginReply; leaseId: string }> {
  const leaseId = randomUUID();
  const known = options.known ?? [];
  return { leaseId, reply: await store.begin({ key, leaseId, leaseMs: options.leaseMs ?? 30_000, known }) };
}

/** Begins a build; fails the test if no lease is granted. */
export async function startBuild(
  store: CacheStore,
  key: string,
  options?: { leaseMs?: number; known?: readonly Dependency[] },
): Promise<Build> {
  const { reply, leaseId } = await begin(store, key, options);
  if (reply.kind !== 'lease') throw new Error(`expected the lease on ${key}, got ${reply.kind}`);
  const { start } = reply;
  return {
    key,
    leaseId,
    start,
    commit: (text, dependencies = [], { ttlMs, begunMsAgo = 0 } = {}) =>
      store.commit({
        key,
        leaseId,
        start: { ...start, at: start.at - begunMsAgo },
        value: value(text),
        dependencies: storedDependencies(key, dependencies),
        ttlMs,
      }),
  };
}

/** Builds and commits; fails the test unless the entry is stored. */
export async function put(
  store: CacheStore,
  key: string,
  text: string,
  dependencies: readonly Dependency[] = [],
  ttlMs?: number,
): Promise<void> {
  const build = await startBuild(store, key);
  expect(await build.commit(text, dependencies, ttlMs === undefined ? {} : { ttlMs })).toBe('ok');
}

/** Calls `write` with these dependencies and those that the store adds by itself. */
export function write(
  store: CacheStore,
  key: string,
  text: string,
  dependencies: readonly Dependency[] = [],
  ttlMs?: number,
): Promise<boolean> {
  return store.write({ key, value: value(text), dependencies: storedDependencies(key, dependencies), ttlMs });
}

/** The entry as text, or undefined. */
export async function text(store: CacheStore, key: string): Promise<string | undefined> {
  return (await store.read(key))?.bytes.toString();
}

export async function allKeys(store: CacheStore): Promise<string[]> {
  const keys: string[] = [];
  for await (const page of store.keys()) keys.push(...page);
  return keys;
}

/** Sweeps until nothing is left to do; returns the number of freed entries. */
export async function sweepAll(store: CacheStore): Promise<number> {
  let freed = 0;
  for (let step = 0; step < 1_000; step += 1) {
    const report = await store.sweep();
    freed += report.freed;
    if (!report.more) return freed;
  }
  throw new Error('sweep still had more to do after 1,000 steps');
}

/**
 * Looks until a value passes `check`, and returns it; for effects that take real time. Fails after four seconds (Jest
 * ends a test after five), with the last value seen.
 */
export async function eventuallySeen<T>(look: () => Promise<T> | T, check: (seen: T) => boolean): Promise<T> {
  let seen = await look();
  const passes = async () => check(seen) || check((seen = await look()));
  await eventually(passes, { withinMs: 4_000, what: 'a value that passes', state: () => seen });
  return seen;
}

/** Runs `work` for 0 … count - 1, a bounded number at a time. */
export async function times(count: number, work: (i: number) => Promise<unknown>): Promise<void> {
  const AT_ONCE = 100;
  for (let from = 0; from < count; from += AT_ONCE) {
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, count - from) }, (_, i) => work(from + i)));
  }
}
