import { StoreUnavailableError } from '../../cache.errors.js';
import type { Fetcher } from '../../cache.types.js';
import type { CacheStore, ManyStoreRead, StoredValue } from '../../protocol/cache-store.js';
import { isYoungEnough } from '../entry-age.js';
import type { ResolvedOptions } from '../get-or-set-options.js';
import { isBounded, type Reader } from '../reader.js';
import type { ReadThrough } from '../read-through.js';
import type { ManySource } from './many-call.js';
import { ManyFetch, ManyWaiter } from './many-fetch.js';

/** A read of many entries of one bucket. */
export interface ManyRead {
  /** The parts of each entry's key, by key. */
  readonly partsOf: ReadonlyMap<string, readonly string[]>;
  readonly source: ManySource;
  /** Fetches one of the entries alone: for background work that a hit starts. */
  readonly fetcherOf: (parts: readonly string[]) => Fetcher<unknown>;
  readonly options: ResolvedOptions;
}

/** The answers to a `ManyRead`, by key. */
export type ManyAnswers = ReadonlyMap<string, PromiseSettledResult<unknown>>;

/** The parts of the cache that a read of many entries uses. */
export interface ManyHost {
  readonly store: CacheStore;
  readonly reader: Reader;
  readonly readThrough: ReadThrough;
}

/**
 * Reads many entries at once: from the L1, else from the store with one command for each partition, else from the
 * source with one call for all that this process builds (`ManyFetch`). Each entry is judged by itself: the answers are
 * no snapshot. Never rejects: each key has its own answer or error.
 */
export async function readMany(host: ManyHost, read: ManyRead): Promise<ManyAnswers> {
  const answers = new Answers();
  let opening: Promise<void> | undefined;
  for (const key of read.partsOf.keys()) {
    try {
      const admitted = host.reader.admit(key); // each key is checked
      opening ??= admitted;
    } catch (reason) {
      answers.reject(key, reason);
    }
  }
  await opening;
  const missing: string[] = [];
  for (const [key, parts] of read.partsOf) {
    if (answers.has(key)) continue;
    const answer = host.reader.findInL1(key, read.options);
    if (answer === undefined) missing.push(key);
    else {
      host.reader.afterL1Hit(key, answer, read.fetcherOf(parts), read.options);
      answers.follow(key, answer);
    }
  }
  if (missing.length > 0) await new StoreReads(host, read, answers).run(missing);
  return answers.settled();
}

/** The answers that are there, and those to come. */
class Answers {
  private readonly results = new Map<string, PromiseSettledResult<unknown> | undefined>();
  private readonly coming: Promise<void>[] = [];

  has(key: string): boolean {
    return this.results.has(key);
  }

  fulfil(key: string, value: unknown): void {
    this.results.set(key, { status: 'fulfilled', value });
  }

  reject(key: string, reason: unknown): void {
    this.results.set(key, { status: 'rejected', reason });
  }

  follow(key: string, answer: Promise<unknown>): void {
    this.results.set(key, undefined); // so that nobody else answers it
    this.coming.push(
      answer.then(
        (value) => this.fulfil(key, value),
        (reason: unknown) => this.reject(key, reason),
      ),
    );
  }

  async settled(): Promise<ManyAnswers> {
    await Promise.all(this.coming);
    return this.results as ManyAnswers;
  }
}

/** The part of a read that asks the store, and what follows from its replies. */
class StoreReads {
  private readonly arrivedAt = performance.now();
  private readonly arrivedAfter: number;
  /** The keys that are neither answered nor known to be built by others. */
  private readonly undecided = new Set<string>();
  private many: ManyFetch | undefined;

  constructor(
    private readonly host: ManyHost,
    private readonly read: ManyRead,
    private readonly answers: Answers,
  ) {
    this.arrivedAfter = host.readThrough.requests;
  }

  /** Resolves when each of these keys is answered, or waits for a build. */
  async run(keys: readonly string[]): Promise<void> {
    const building: string[] = [];
    const asked: string[] = [];
    for (const key of keys) {
      this.undecided.add(key);
      (this.host.readThrough.isBuilding(key) ? building : asked).push(key);
    }
    for (const key of building) this.enter(key);
    await Promise.all(this.host.store.requestMany(asked).map((request) => this.receive(request)));
  }

  private async receive({ keys, reply }: ManyStoreRead): Promise<void> {
    const [outcome] = await Promise.allSettled([reply]);
    keys.forEach((key, i) => {
      if (outcome.status === 'fulfilled') this.take(key, outcome.value[i]);
      else if (outcome.reason instanceof StoreUnavailableError) this.host.readThrough.bypass(this.waiter(key));
      else this.waiter(key).fail(outcome.reason);
    });
  }

  private take(key: string, stored: StoredValue | undefined): void {
    const { reader } = this.host;
    const { partsOf, fetcherOf, options } = this.read;
    const found = stored && this.isYoungEnough(stored) ? reader.decode(key, stored) : undefined;
    if (!found) {
      this.enter(key);
      return;
    }
    reader.afterHit(key, stored as StoredValue, found.value, fetcherOf(partsOf.get(key) ?? []), options);
    this.answers.fulfil(key, found.value);
    if (this.many) this.many.decide(key);
    else this.undecided.delete(key);
  }

  private isYoungEnough({ fetchedAt }: StoredValue): boolean {
    const { options } = this.read;
    return !isBounded(options) || isYoungEnough(fetchedAt, options.maxAgeSeconds, this.host.readThrough.clock.latest());
  }

  private enter(key: string): void {
    this.host.readThrough.enter(this.waiter(key));
  }

  private waiter(key: string): ManyWaiter {
    const waiter = new ManyWaiter(this.fetch(), key, this.read.options, this.arrivedAt);
    waiter.arrive(this.arrivedAfter);
    this.answers.follow(key, waiter.answer);
    return waiter;
  }

  /** Made when the first key misses: most calls find everything. */
  private fetch(): ManyFetch {
    const { source, options, partsOf } = this.read;
    const { readThrough } = this.host;
    this.many ??= new ManyFetch(source, options, partsOf, this.undecided, (waiter, value) =>
      readThrough.faithful(waiter, value),
    );
    return this.many;
  }
}
