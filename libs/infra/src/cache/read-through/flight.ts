import { randomUUID } from 'node:crypto';
import { BuildFailedError, CacheError, isCallerError, StoreUnavailableError } from '../cache.errors.js';
import { entry, storedDependencies } from '../dependencies.js';
import type { BeginReply, InvalidationNotice, LeaseEnd, StoredValue } from '../protocol/cache-store.js';
import { Build, releaseLease, type BuildHost } from './build.js';
import { knownDependencies } from './get-or-set-options.js';
import { pollMs, type LeaseWatch, type LeaseWatches } from './lease-watch.js';
import type { StoreClock } from './store-clock.js';
import { isErrorOf, type Waiter, WaiterSet } from './waiters/waiter.js';

/** The parts of the read-through that flights use. */
export interface FlightHost extends BuildHost {
  readonly leaseWatches: LeaseWatches;
  readonly clock: StoreClock;
  /** Aborted when the cache closes. */
  readonly signal: AbortSignal;
  /** Builds under way in this process. */
  readonly builds: Set<Build>;
  /** Requests for leases and entries that flights have sent so far, for all keys. Commits and releases do not count. */
  requests: number;
  /** Closes the flight to further callers; the next caller of its key begins another. */
  detach(flight: Flight): void;
  /** Puts a waiter into the open flight of its key, or into a new one. */
  enter(waiter: Waiter): void;
  /** The form of a value fetched for this waiter that every caller receives: see `ValueCodec.faithful`. */
  faithful(waiter: Waiter, value: unknown): unknown;
  /** Answers a waiter without the store. */
  bypass(waiter: Waiter): void;
}

/**
 * Maximum known dependencies sent with a request for a lease. More would make it slower, and are not needed: they only
 * serve to take over a doomed lease early.
 */
const KNOWN_MAX = 100;

/**
 * All callers of one key in this process that wait for the same next answer, and the work to get it: ask the store,
 * then receive the value, wait for another builder, or build.
 *
 * One rule decides who may share an answer: a caller may receive a value if its fetch began after the caller arrived,
 * or if the store vouched for the value after the caller arrived. Requests to the store are counted, and every waiter
 * remembers the count at its arrival, which may be some time before it joins:
 * - an entry found by request n answers the waiters that arrived before n was sent;
 * - a value whose commit was accepted answers all that joined before the commit was sent (then the flight is detached);
 * - a value whose commit was refused answers those that arrived before the request that granted the lease; the others
 *   share the next build (docs/concepts/coherence.md).
 *
 * A caller with `maxAgeSeconds` refuses older values, even if the store vouches for them: then the flight asks for the
 * lease although there is an entry. A caller never refuses a value whose fetch began after it arrived, however long the
 * fetch took, so no caller goes round for ever.
 */
export class Flight {
  private readonly waiters = new WaiterSet();
  private polls = 0;
  private build: Build | undefined;
  /** A waiter of this flight has refused the entry that was found last. */
  private wantsNewer = false;
  /** There is a valid entry while the build runs. */
  private isReplacing = false;
  /** The build replaces the entry, if there is one. */
  private isRefresh = false;

  constructor(
    private readonly host: FlightHost,
    readonly key: string,
  ) {}

  /** The build that is under way in this process, if any. */
  get building(): Build | undefined {
    return this.build;
  }

  /** Whether a caller that has not asked the store may join: while a build runs that replaces no valid entry. */
  get isOpenToReaders(): boolean {
    return this.build !== undefined && !this.isReplacing;
  }

  join(waiter: Waiter): void {
    waiter.arrive(this.host.requests);
    if (this.build || this.polls > 0) waiter.waitForOther();
    this.waiters.add(waiter);
  }

  /** Runs until every waiter is answered or handed on. Never rejects. */
  async run(): Promise<void> {
    await new Promise<void>((resolve) => process.nextTick(resolve)); // callers that missed together ask together
    try {
      while (this.waiters.size > 0) {
        if (this.host.signal.aborted) throw closed();
        const watch = this.host.leaseWatches.watch(this.key);
        try {
          if ((await this.attempt(watch)) === 'done') return;
        } finally {
          watch.close();
        }
      }
    } catch (error) {
      this.detach();
      const isBypassed = error instanceof StoreUnavailableError && !this.host.signal.aborted;
      for (const waiter of this.waiters.takeAll()) {
        if (isBypassed && !waiter.background) this.host.bypass(waiter);
        else waiter.fail(error);
      }
    } finally {
      this.detach();
    }
  }

  /**
   * Ends the running build's claim if the invalidation has made its commit pointless: no caller joins it any more, its
   * lease is released, and waiters that may not have its value go on to the next build at once.
   */
  doom(dependencies: InvalidationNotice['dependencies']): void {
    const { build } = this;
    if (!build || build.isDoomed || !build.isHitBy(dependencies)) return;
    build.isDoomed = true;
    build.stopRenewing();
    this.detach();
    void this.release(build.leaseId);
    for (const waiter of this.waiters.take((w) => !w.arrivedBefore(build.request))) this.host.enter(waiter);
  }

  /**
   * The store is away: the running build answers only waiters that arrived before its lease was asked for. The others
   * go to the source at once.
   */
  abandonStore(): void {
    const { build } = this;
    if (!build) return;
    this.detach();
    for (const waiter of this.waiters.take((w) => !w.arrivedBefore(build.request))) this.host.bypass(waiter);
  }

  private async attempt(watch: LeaseWatch): Promise<'again' | 'done'> {
    const [first] = this.waiters;
    if (!first) return 'done';
    const request = ++this.host.requests;
    const leaseId = randomUUID();
    const known = storedDependencies(this.key, knownDependencies(first.options)).slice(0, KNOWN_MAX);
    const refresh = this.wantsNewer || (this.waiters.size === 1 && first.background?.isDue !== undefined);
    const asked = { key: this.key, leaseId, leaseMs: first.options.leaseMs, known };
    this.isReplacing = false;
    this.isRefresh = refresh;
    const sentAt = performance.now();
    const reply = await this.host.store.begin(refresh ? { ...asked, refresh } : asked);
    switch (reply.kind) {
      case 'fresh':
        return this.answerFromStore(reply.value, request);
      case 'wait':
        return this.waitForBuilder(reply, watch);
      case 'lease':
        this.host.clock.learn(reply.start.at, sentAt);
        if (refresh && !(await this.isStillWanted(leaseId))) return this.giveBack(leaseId);
        return this.buildUnder(leaseId, reply.start, request);
    }
  }

  /**
   * Under the lease: offers the entry that exists by now; returns whether a waiter refused it, or none can be read.
   */
  private async isStillWanted(leaseId: string): Promise<boolean> {
    const request = ++this.host.requests;
    try {
      const stored = await this.host.store.read(this.key);
      this.isReplacing = stored !== undefined && this.host.codec.decode(this.key, stored) !== undefined;
      return !stored || !this.isReplacing || !(await this.offer(stored, request));
    } catch (error) {
      await this.release(leaseId); // nobody builds under it
      throw error;
    }
  }

  /**
   * Answers the waiters that arrived before the request that found this entry, and accept the entry; returns whether
   * none of those that had arrived refused it.
   */
  private async offer(stored: StoredValue, request: number): Promise<boolean> {
    const latest = this.host.clock.latest();
    const asked = (waiter: Waiter) => waiter.arrivedBefore(request);
    const mayHave = (waiter: Waiter) => asked(waiter) && waiter.accepts(stored, latest);
    this.answer(stored, (waiter) => !waiter.awaitedYounger && mayHave(waiter));
    if ([...this.waiters].some(mayHave)) {
      // Another process built it, perhaps for callers with a `maxAgeSeconds` of their own: it answers them when no L1
      // serves an older value, so these callers wait for the same.
      await this.host.store.settle(this.key);
      this.answer(stored, mayHave);
    }
    this.wantsNewer = [...this.waiters].some((waiter) => asked(waiter) && !waiter.background);
    return ![...this.waiters].some(asked);
  }

  private answer(stored: StoredValue, wanted: (waiter: Waiter) => boolean): void {
    for (const waiter of this.waiters.take(wanted)) {
      const copy = () => this.host.codec.decode(this.key, stored)?.value; // one copy for each caller
      waiter.succeed(copy(), waiter.hasWaited ? 'coalesced' : 'hit', false, copy);
    }
  }

  /** There is nothing to build: waiters that arrived too late to be offered the entry ask again. */
  private async giveBack(leaseId: string): Promise<'again'> {
    this.dismissBackground();
    await this.release(leaseId);
    return 'again';
  }

  /** Ends the background waiters: somebody else builds, or there is an entry. */
  private dismissBackground(): void {
    for (const waiter of this.waiters.take((w) => w.background !== undefined)) waiter.succeed(undefined, 'coalesced');
  }

  private async answerFromStore(stored: StoredValue, request: number): Promise<'again'> {
    const { codec, store } = this.host;
    // The entry is unreadable here (for example encrypted under a key that is gone): it is removed, so that the next
    // request gets the lease.
    if (!codec.decode(this.key, stored)) await store.invalidate([entry(this.key)]);
    else await this.offer(stored, request);
    return 'again';
  }

  private async waitForBuilder(
    { leaseId, expiresInMs }: BeginReply & { kind: 'wait' },
    watch: LeaseWatch,
  ): Promise<'again' | 'done'> {
    this.dismissBackground();
    if (this.waiters.size === 0) return 'again';
    this.waiters.waitForOther();
    const end = await watch.wait(leaseId, pollMs(this.polls++, expiresInMs));
    if (end) this.wantsNewer = false; // the entry may be a newer one now
    if (!end?.failure) return 'again';
    this.detach();
    const error = new BuildFailedError(end.failure.code, end.failure.message);
    this.waiters.takeAll().forEach((waiter) => waiter.fail(error));
    return 'done';
  }

  private async buildUnder(leaseId: string, start: Build['start'], request: number): Promise<'again' | 'done'> {
    const [builder] = this.waiters;
    if (!builder) {
      await this.release(leaseId); // every caller gave up while the store answered
      return 'again';
    }
    this.waiters.waitForOther(builder);
    const build = new Build(this.host, builder, leaseId, start, request);
    this.build = build;
    this.host.builds.add(build);
    // A fetch that never ends must not hold its key for ever: after the abort, others build.
    build.signal.addEventListener('abort', () => this.detach(), { once: true });
    try {
      const value = this.host.faithful(builder, await build.fetch());
      await this.conclude(build, value);
    } catch (error) {
      await this.failAll(build, error);
    } finally {
      build.stopRenewing();
      this.host.builds.delete(build);
    }
    return 'done';
  }

  /**
   * Sends the commit and answers by its reply. Detaching comes first: no caller may join a commit that is under way.
   */
  private async conclude(build: Build, value: unknown): Promise<void> {
    this.detach();
    const isForced = [...this.waiters].some((w) => !w.background && w.options.maxAgeSeconds !== undefined);
    const supersedes = isForced ? 'always' : this.isRefresh ? 'if-stored' : undefined;
    // A forced commit is sent although it can only be refused: the earlier entry has to go.
    const reply = build.isDoomed && !isForced ? 'stale' : await build.commit(value, supersedes);
    // The store vouches that nothing the value depends on was invalidated since its start point.
    const isVouchedFor = reply === 'ok' || reply === 'expired';
    const outcome = (waiter: Waiter) => (waiter === build.builder ? 'miss' : 'coalesced');
    const latest = this.host.clock.latest();
    const isYoungFor = (w: Waiter) => w.acceptsFetchOf(build.start.at, latest);
    const mayHave = (w: Waiter) =>
      w === build.builder || w.arrivedBefore(build.request) || (isVouchedFor && isYoungFor(w));
    for (const waiter of this.waiters.take(mayHave)) {
      waiter.succeed(value, outcome(waiter), reply === 'ok');
    }
    for (const waiter of this.waiters.takeAll()) this.host.enter(waiter);
  }

  private async failAll(build: Build, error: unknown): Promise<void> {
    this.detach();
    // Other processes learn of an error of the source alone: their callers are others.
    if (!build.isDoomed) await this.release(build.leaseId, isCallerError(error) ? undefined : describe(error));
    for (const waiter of this.waiters.takeAll()) {
      if (waiter === build.builder || isErrorOf(waiter, error)) waiter.fail(error);
      else this.host.enter(waiter);
    }
  }

  private release(leaseId: string, failure?: LeaseEnd['failure']): Promise<void> {
    return releaseLease(this.host.store, { key: this.key, leaseId, ...(failure && { failure }) });
  }

  private detach(): void {
    this.host.detach(this);
  }
}

function closed(): CacheError {
  return new CacheError('CACHE_CLOSED', 'the cache was closed while this call waited', false);
}

/** The description of an error for other processes, for any thrown value. */
function describe(error: unknown): { code: string | undefined; message: string } {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  const text = [message, error].find((part) => typeof part === 'string');
  return { code: typeof code === 'string' ? code : undefined, message: text ?? 'the fetch failed' };
}
