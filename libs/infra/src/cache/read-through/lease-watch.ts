import type { LeaseEnd } from '../protocol/cache-store.js';

/**
 * The ends of leases on one key, from the start of the watch on. An end that arrives before `wait` is called is kept.
 */
export class LeaseWatch {
  private readonly ends = new Map<string, LeaseEnd>();
  private awaited: { leaseId: string; done: (end: LeaseEnd | undefined) => void } | undefined;

  constructor(private readonly stopWatching: () => void) {}

  receive(end: LeaseEnd): void {
    if (this.awaited?.leaseId === end.leaseId) this.awaited.done(end);
    else this.ends.set(end.leaseId, end);
  }

  /** How this lease ended; undefined if `timeoutMs` pass without a message about it, or `wake` is called. */
  wait(leaseId: string, timeoutMs: number): Promise<LeaseEnd | undefined> {
    const known = this.ends.get(leaseId);
    if (known) return Promise.resolve(known);
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.finish(resolve, undefined), timeoutMs);
      this.awaited = {
        leaseId,
        done: (end) => {
          clearTimeout(timer);
          this.finish(resolve, end);
        },
      };
    });
  }

  /** Ends the wait without a message: the waiter then asks the store. */
  wake(): void {
    this.awaited?.done(undefined);
  }

  close(): void {
    this.stopWatching();
  }

  private finish(resolve: (end: LeaseEnd | undefined) => void, end: LeaseEnd | undefined): void {
    this.awaited = undefined;
    resolve(end);
  }
}

/** Passes every message about a lease to the watches of its key. */
export class LeaseWatches {
  private readonly byKey = new Map<string, Set<LeaseWatch>>();

  /** Begin the watch before asking the store, so that no message between its answer and the wait is missed. */
  watch(key: string): LeaseWatch {
    const watches = this.byKey.get(key) ?? new Set<LeaseWatch>();
    this.byKey.set(key, watches);
    const watch = new LeaseWatch(() => {
      watches.delete(watch);
      if (watches.size === 0 && this.byKey.get(key) === watches) this.byKey.delete(key);
    });
    watches.add(watch);
    return watch;
  }

  receive(end: LeaseEnd): void {
    for (const watch of this.byKey.get(end.key) ?? []) watch.receive(end);
  }

  /** For an outage, in which no message can come: every waiter asks the store itself. */
  wakeAll(): void {
    for (const watches of this.byKey.values()) for (const watch of watches) watch.wake();
  }
}

const POLL_FIRST_MS = 50;
const POLL_MAX_MS = 500;

/**
 * How long to wait for a message about a lease before asking the store again, because a message can be lost: 50 ms,
 * then twice as long each time, up to 500 ms, all with a random part of up to a quarter more or less; but at most until
 * the lease has run out.
 */
export function pollMs(attempt: number, leaseExpiresInMs: number): number {
  const backoff = Math.min(POLL_MAX_MS, POLL_FIRST_MS * 2 ** Math.min(attempt, 10)) * (0.75 + Math.random() / 2);
  return Math.max(1, Math.min(backoff, leaseExpiresInMs + 1));
}
