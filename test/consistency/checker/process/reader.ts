import { setImmediate as nextTurn } from 'node:timers/promises';
import type { CacheService } from '@bff/infra/cache/cache.service';
import type { GetOrSetOptions, ReadOutcome } from '@bff/infra/cache/cache.types';
import { elapse } from '../../../support/eventually.js';
import type { RunClock } from '../history/clock.js';
import type { Origin } from '../history/history-lines.js';
import { facts, keys, someKey, type Key } from '../source/universe.js';
import type { CachedValue } from './cached-value.js';
import { dependencyOf, type CheckedFetcher } from './fetcher.js';
import type { HistoryWriter } from './history-writer.js';
import type { ObservedStore } from './observed-store.js';

/** Reads of one turn of the event loop at most: between two of them nothing that others said can be heard. */
const BURST_MAX = 40;
/** Reads that do not build what is not there. */
const GET_SHARE = 0.35;
/** How long some of them wait for a build that is under way. */
const BUILD_WAIT_MS = 100;
const PATROL_MS = 150;
const PATROLLED_AT_ONCE = 32;
/** A lease that slow fetches outlast, for some of the builders. */
const SHORT_LEASE_MS = 60;
/** No read of the checker allows a stale value, so there is no such outcome. */
const ORIGINS: Readonly<Partial<Record<ReadOutcome, Origin>>> = {
  hit: 'store',
  miss: 'fetched',
  coalesced: 'shared',
  bypass: 'bypass',
};

/** Reads keys at random, again and again, and writes down what it got. */
export class CheckedReader {
  private isResting = false;
  /** Keys whose last read returned a value. */
  private readonly held = new Set<number>();

  constructor(
    private readonly cache: CacheService,
    private readonly fetcher: CheckedFetcher,
    private readonly store: ObservedStore,
    private readonly history: HistoryWriter,
    private readonly clock: RunClock,
  ) {}

  /** From now on lanes end when their read has ended. */
  rest(): void {
    this.isResting = true;
  }

  /** One of several callers that this process serves at the same time. */
  async lane(random: () => number): Promise<void> {
    while (!this.isResting) {
      for (let left = Math.ceil(random() * BURST_MAX); left > 0 && !this.isResting; left--) await this.readOne(random);
      if (random() < 0.5) await nextTurn();
      else await elapse(random() * 6);
    }
  }

  /** Looks at every key that the cache was seen to hold, again and again, so that what is stale anywhere is seen soon. */
  async patrol(): Promise<void> {
    while (!this.isResting) {
      const held = [...this.held];
      for (let from = 0; from < held.length && !this.isResting; from += PATROLLED_AT_ONCE) {
        await Promise.all(held.slice(from, from + PATROLLED_AT_ONCE).map((key) => this.read(key, 'get', {})));
      }
      await elapse(PATROL_MS);
    }
  }

  /** A read as it is at rest; the value's text, '' if there is none. */
  async value(key: number, way: 'get' | 'getOrSet'): Promise<string> {
    const value = await this.read(key, way, {});
    return value?.facts ?? '';
  }

  private async readOne(random: () => number): Promise<void> {
    const key = someKey(random);
    if (random() < GET_SHARE) {
      await this.read(key, 'get', {}, random() < 0.2 ? BUILD_WAIT_MS : 0);
      return;
    }
    const isShort = random() < 0.2;
    const isKnown = random() < 0.2;
    await this.read(key, 'getOrSet', {
      ...(isShort && { leaseMs: SHORT_LEASE_MS, renewLease: false }),
      ...(isKnown && { dependsOn: [dependencyOf(rootOf(keys[key] as Key))] }),
    });
  }

  private async read(
    key: number,
    way: 'get' | 'getOrSet',
    options: GetOrSetOptions<CachedValue>,
    waitMs = 0,
  ): Promise<CachedValue | undefined> {
    const { text, ttlMs } = keys[key] as Key;
    let outcome: ReadOutcome = 'hit';
    const onOutcome = (how: ReadOutcome) => (outcome = how);
    const before = this.store.reads;
    const beganAt = this.clock.now();
    try {
      const answer =
        way === 'get'
          ? this.cache.get<CachedValue>(text, { waitMs })
          : this.cache.getOrSet<CachedValue>(text, (context) => this.fetcher.fetch(key, context), {
              ...options,
              ...(ttlMs && { ttlSeconds: ttlMs / 1000 }),
              onOutcome,
            });
      const isLocal = this.store.reads === before; // the store would have been asked by now
      const value = await answer;
      const origin = outcome === 'hit' && isLocal ? 'local' : ORIGINS[outcome];
      if (!origin) throw new Error(`answered by "${outcome}", which it never allowed`);
      this.history.read(key, beganAt, value ? origin : 'miss', value);
      if (value) this.held.add(key);
      else this.held.delete(key);
      return value;
    } catch (error) {
      const { code } = error as { code?: unknown };
      const text = typeof code === 'string' ? code : String(error);
      // Ten seconds are longer than any lease and any outage here: then nobody was there to end the wait.
      this.history.failed(key, beganAt, way === 'getOrSet' && code === 'CACHE_WAIT_TIMEOUT' ? 'WAITED_IN_VAIN' : text);
      return undefined;
    }
  }
}

/** The record that a reader knows the value to depend on before it is fetched. */
function rootOf({ kind, table, root }: Key): number {
  return kind === 'list' ? facts.membership(table) : facts.record(table, kind === 'wide' ? 0 : root);
}
