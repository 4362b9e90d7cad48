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
      opening ??= host.reader.admit(key);
    } catch (reason) {
      answers.reject(key, reason);
    }
  }
  await opening;
  for (const [key, parts] of read.partsOf) {
    const answer = answers.has(key) ? undefined : host.reader.findInL1(key, read.options);
    if (answer === undefined) continue;
    host.reader.afterL1Hit(key, answer, read.fetcherOf(parts), read.options);
    answers.follow(key, answer);
  }
  const missing = new Map([...read.partsOf].filter(([key]) => !answers.has(key)));
  if (missing.size > 0) await new StoreReads(host, { ...read, partsOf: missing }, answers).run();
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
  private readonly many: ManyFetch;
  private readonly arrivedAt = performance.now();
  private readonly arrivedAfter: number;

  constructor(
    private readonly host: ManyHost,
    private readonly read: ManyRead,
    private readonly answers: Answers,
  ) {
    const { readThrough } = host;
    this.arrivedAfter = readThrough.requests;
    this.many = new ManyFetch(read.source, read.options, read.partsOf, (waiter, value) =>
      readThrough.faithful(waiter, value),
    );
  }

  /** Resolves when every key is answered, or waits for a build. */
  async run(): Promise<void> {
    const asked: string[] = [];
    for (const key of this.read.partsOf.keys()) {
      if (this.host.readThrough.isBuilding(key)) this.enter(key);
      else asked.push(key);
    }
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
    this.many.decide(key);
  }

  private isYoungEnough({ fetchedAt }: StoredValue): boolean {
    const { options } = this.read;
    return !isBounded(options) || isYoungEnough(fetchedAt, options.maxAgeSeconds, this.host.readThrough.clock.latest());
  }

  private enter(key: string): void {
    this.host.readThrough.enter(this.waiter(key));
  }

  private waiter(key: string): ManyWaiter {
    const waiter = new ManyWaiter(this.many, key, this.read.options, this.arrivedAt);
    waiter.arrive(this.arrivedAfter);
    this.answers.follow(key, waiter.answer);
    return waiter;
  }
}
