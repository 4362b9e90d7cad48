import { setImmediate as nextTurn } from 'node:timers/promises';
import type { CacheService } from '@bff/infra/cache/cache.service';
import type { FetchContext, GetOrSetOptions, ReadOutcome } from '@bff/infra/cache/cache.types';
import { elapse } from '../../../../support/eventually.js';
import { facts, keys, someKey, type Key } from '../../source/universe.js';
import type { CachedValue } from '../cached-value.js';
import { BucketReader } from './bucket-reader.js';
import { dependencyOf, type CheckedFetcher } from './fetcher.js';
import { chooseLife, lifeOptions, type Life } from '../life.js';
import { ObservedRead, type Observation } from '../observed-read.js';

/**
 * Maximum number of reads of a lane without a pause. While the L1 answers them, they share one turn of the event loop,
 * so no message of another process arrives between them.
 */
const BURST_MAX = 40;
/** Share of reads that use `get`, which never builds a missing value. */
const GET_SHARE = 0.35;
/** Share of reads that go through a bucket: for one entry, and for several at once. */
const BUCKET_SHARE = 0.25;
const MANY_SHARE = 0.04;
/** Maximum keys chosen for a read of several, of which those of one bucket are read: about a quarter. */
const CHOSEN_MAX = 48;
/** Longest pause between two reads of a lane that bounds the age. Each read costs a fetch, so they are few. */
const REBUILD_PAUSE_MS = 80;
/** Bounds of the age, of which one is chosen at random; 0: only a fetch that begins after the call is accepted. */
const MAX_AGES_MS = [0, 0, 30];
/** How long some `get` reads wait for a build in progress. */
const BUILD_WAIT_MS = 100;
const PATROL_MS = 150;
const PATROLLED_AT_ONCE = 32;
/** A lease that slow fetches outlast, for some of the builders. */
const SHORT_LEASE_MS = 60;

type Options = GetOrSetOptions<CachedValue | null>;

/** Reads random keys repeatedly and writes down the results. */
export class CheckedReader {
  private isResting = false;
  /** Keys whose last read returned a value. */
  private readonly held = new Set<number>();
  private readonly buckets: BucketReader;

  constructor(
    private readonly cache: CacheService,
    private readonly fetcher: CheckedFetcher,
    private readonly process: Observation,
  ) {
    this.buckets = new BucketReader(cache, fetcher, process);
  }

  /** From now on a lane ends when its current read ends. */
  rest(): void {
    this.isResting = true;
  }

  /** One of several concurrent callers in this process. */
  async lane(random: () => number): Promise<void> {
    while (!this.isResting) {
      for (let left = Math.ceil(random() * BURST_MAX); left > 0 && !this.isResting; left--) await this.readOne(random);
      if (random() < 0.5) await nextTurn();
      else await elapse(random() * 6);
    }
  }

  /** A caller that bounds the age of its value, so that older values are built anew for all. */
  async rebuilding(random: () => number): Promise<void> {
    while (!this.isResting) {
      const maxAgeMs = MAX_AGES_MS[Math.floor(random() * MAX_AGES_MS.length)] as number;
      const key = someKey(random);
      await this.getOrSet(key, chooseLife(keys[key] as Key, true, random), { maxAgeSeconds: maxAgeMs / 1000 });
      await elapse(random() * REBUILD_PAUSE_MS);
    }
  }

  /** Reads every key that was last seen cached, repeatedly, so that a stale value is noticed soon in any process. */
  async patrol(): Promise<void> {
    while (!this.isResting) {
      const held = [...this.held];
      for (let from = 0; from < held.length && !this.isResting; from += PATROLLED_AT_ONCE) {
        await Promise.all(held.slice(from, from + PATROLLED_AT_ONCE).map((key) => this.get(key, 0)));
      }
      await elapse(PATROL_MS);
    }
  }

  /** A read at rest; returns the value's text, or '' if there is none. */
  async value(key: number, way: 'get' | 'getOrSet'): Promise<string> {
    const value = await (way === 'get' ? this.get(key, 0) : this.getOrSet(key, { ttlMs: keys[key]?.ttlMs ?? 0 }, {}));
    return value?.facts ?? '';
  }

  private async readOne(random: () => number): Promise<void> {
    const key = someKey(random);
    if (random() < GET_SHARE) {
      await this.get(key, random() < 0.2 ? BUILD_WAIT_MS : 0);
      return;
    }
    if (this.buckets.has(key) && random() < BUCKET_SHARE) {
      if (random() < MANY_SHARE / BUCKET_SHARE) await this.getMany(key, random);
      else await this.noted(key, this.buckets.get(key));
      return;
    }
    const isShort = random() < 0.2;
    const isKnown = random() < 0.2;
    await this.getOrSet(key, chooseLife(keys[key] as Key, false, random), {
      ...(isShort && { leaseMs: SHORT_LEASE_MS, renewLease: false }),
      ...(isKnown && { dependsOn: [dependencyOf(rootOf(keys[key] as Key))] }),
    });
  }

  private async getMany(first: number, random: () => number): Promise<void> {
    const others = Array.from({ length: Math.floor(random() * CHOSEN_MAX) }, () => someKey(random));
    const values = await this.buckets.getMany([first, ...others]);
    for (const [key, value] of values) await this.noted(key, Promise.resolve(value));
  }

  private get(key: number, waitMs: number): Promise<CachedValue | undefined> {
    const { text } = keys[key] as Key;
    const read = new ObservedRead(key, -1, this.process);
    return this.noted(key, read.answered(this.cache.get<CachedValue>(text, { waitMs }), 'CACHE_WAIT_TIMEOUT'));
  }

  private getOrSet(key: number, life: Life, options: Options): Promise<CachedValue | undefined> {
    const { text } = keys[key] as Key;
    const read = new ObservedRead(key, (options.maxAgeSeconds ?? -1e-6) * 1e6, this.process);
    const fetcher = (context: FetchContext) => this.fetcher.fetch(key, life, context, (at) => (read.fetchedAt = at));
    const onOutcome = (how: ReadOutcome) => (read.outcome = how);
    const given = { ...options, ...lifeOptions(life), onOutcome };
    // The wait (`WAIT_MS`) is longer than any lease and any outage here. If it runs out all the same, nothing was going
    // to end it, and that counts as a violation.
    return this.noted(key, read.answered(this.cache.getOrSet(text, fetcher, given), 'WAITED_IN_VAIN'));
  }

  private async noted(key: number, answer: Promise<CachedValue | undefined>): Promise<CachedValue | undefined> {
    const value = await answer;
    if (value) this.held.add(key);
    else this.held.delete(key);
    return value;
  }
}

/** The fact that a reader knows as a dependency before the fetch. */
function rootOf({ kind, table, root }: Key): number {
  return kind === 'list' ? facts.membership(table) : facts.record(table, kind === 'wide' ? 0 : root);
}
