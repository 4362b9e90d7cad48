import { AsyncResource } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import type { FetchContext } from '../../cache.types.js';
import { IDS_PER_CALL_MAX } from '../../protocol/limits.js';
import type { ResolvedOptions } from '../get-or-set-options.js';
import { Waiter, type Outage } from '../waiters/waiter.js';
import { callSource, type ManySource, type Member } from './many-call.js';

/**
 * The fetches of one `getMany`. It sends one call to the source for all keys that this process is to build, and only
 * once it is known of every key whether this process builds it: so each start point is taken before the call is sent
 * (invariant 1), nothing joins a call that is under way, and what this process has leased is loaded before anyone waits
 * for the builds of others (model many.pml). A key that has to be built later, because its build was refused or another
 * builder gave it up, goes into a later call, with those that come in the same turn of the event loop.
 */
export class ManyFetch {
  private gathered: (Member & { readonly key: string })[] = [];
  private bypassed: ManyWaiter[] = [];
  private isScheduled = false;
  /** Calls to the source run for the caller of `getMany`, whatever work has made them possible. */
  private readonly scope = new AsyncResource('ManyFetch');

  /** `undecided`: the keys that are not answered yet; each leaves it when it is decided. */
  constructor(
    private readonly source: ManySource,
    private readonly options: ResolvedOptions,
    private readonly partsOf: ReadonlyMap<string, readonly string[]>,
    private readonly undecided: Set<string>,
    private readonly faithful: (waiter: Waiter, value: unknown) => unknown,
  ) {}

  /** This process is to build the key: its start point is taken. The promise settles with its part of a call. */
  fetch(key: string, context: FetchContext): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.gathered.push({ key, parts: this.partsOf.get(key) ?? [], context, resolve, reject });
      this.decide(key);
    });
  }

  /** From now on no call waits for this key: it is answered, or somebody else builds it. */
  decide(key: string): void {
    this.undecided.delete(key);
    if (this.undecided.size > 0 || this.isScheduled || this.gathered.length === 0) return;
    this.isScheduled = true;
    setImmediate(() => this.send());
  }

  /** The store is away: the waiter is answered by the source alone, together with those that come in the same turn. */
  bypass(waiter: ManyWaiter, outage: Outage): void {
    this.bypassed.push(waiter);
    if (this.bypassed.length === 1) setImmediate(() => this.sendBypassed(outage));
    this.decide(waiter.key);
  }

  private send(): void {
    this.isScheduled = false;
    const ranks = new Map([...this.partsOf.keys()].map((key, rank) => [key, rank])); // a call names its ids in that order
    const rankOf = ({ key }: { readonly key: string }) => ranks.get(key) ?? 0;
    const members = this.gathered.sort((one, other) => rankOf(one) - rankOf(other));
    this.gathered = [];
    for (const some of chunks(members)) {
      void callSource(this.source, some, (load) => this.scope.runInAsyncScope(load));
    }
  }

  private sendBypassed(outage: Outage): void {
    const waiters = this.bypassed;
    this.bypassed = [];
    this.scope.runInAsyncScope(() => {
      for (const some of chunks(waiters)) this.bypassTogether(some, outage);
    });
  }

  /** One fetch of the bypass, in one of its places, answers all these waiters. */
  private bypassTogether(waiters: readonly ManyWaiter[], outage: Outage): void {
    // A name of its own: callers of one key share a fetch, and this one answers no other caller.
    const key = `${waiters[0]?.key} and ${waiters.length - 1} more (${randomUUID()})`;
    const fetcher = (context: FetchContext) => callSource(this.source, this.membersOf(waiters, context));
    const carrier = new Waiter(key, fetcher, { ...this.options, counts: undefined, onOutcome: undefined });
    carrier.answer.catch((error: unknown) => waiters.forEach((waiter) => waiter.fail(error)));
    outage.enter(carrier);
  }

  private membersOf(waiters: readonly ManyWaiter[], context: FetchContext): Member[] {
    return waiters.map((waiter) => ({
      parts: this.partsOf.get(waiter.key) ?? [],
      context,
      resolve: (value) => {
        try {
          waiter.succeed(this.faithful(waiter, value), 'bypass');
        } catch (error) {
          waiter.fail(error);
        }
      },
      reject: (error) => waiter.fail(error),
    }));
  }
}

/** A caller of one key of a `getMany`. Its fetch is a part of a call for many. */
export class ManyWaiter extends Waiter {
  private isAnswered = false;

  constructor(
    private readonly many: ManyFetch,
    key: string,
    options: ResolvedOptions,
    arrivedAt: number,
  ) {
    super(key, (context) => many.fetch(key, context), options, undefined, arrivedAt);
  }

  override waitForOther(): void {
    super.waitForOther();
    this.many.decide(this.key);
  }

  override succeed(...answer: Parameters<Waiter['succeed']>): void {
    if (this.isAnswered) return; // the fetch of the bypass was given up, and ended all the same
    this.isAnswered = true;
    super.succeed(...answer);
    this.many.decide(this.key);
  }

  override fail(error: unknown): void {
    this.isAnswered = true;
    super.fail(error);
    this.many.decide(this.key);
  }

  override bypassIn(outage: Outage): void {
    this.many.bypass(this, outage);
  }
}

function* chunks<V>(all: readonly V[]): Iterable<readonly V[]> {
  for (let i = 0; i < all.length; i += IDS_PER_CALL_MAX) yield all.slice(i, i + IDS_PER_CALL_MAX);
}
