import { reportDefect } from '../../../../process/defect-report.js';
import { StoreUnavailableError } from '../../../cache.errors.js';
import type { LeaseEnd } from '../../../protocol/cache-store.js';

/** Maximum leases remembered; beyond it the oldest is left to run out. */
const REMEMBERED_MAX = 1000;
/**
 * How often releases are repeated. With at most `REPEATED_MAX` leases, and while the store answers, waiters wait about
 * this long at most for a builder that does not exist.
 */
const REPEAT_MS = 250;
/** Maximum releases in one repetition. */
const REPEATED_MAX = 100;

/**
 * Leases that may be held for no builder: the request that grants or ends the lease may have been sent, and no answer
 * came in time. Such a lease would keep all waiters of the key waiting until it runs out. So it is released: at once,
 * behind the request on the same connection, and repeatedly, because the client of a cluster may resend a request that
 * was given up here.
 */
export class OrphanLeases {
  private readonly remembered = new Map<string, { key: string; until: number }>();
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;

  /** @param release ends a lease; resolves to whether it was held */
  constructor(private readonly release: (end: LeaseEnd) => Promise<boolean>) {}

  /** Releases the lease repeatedly, until a release found it held, or for `leaseMs`: it may be granted meanwhile. */
  add(key: string, leaseId: string, leaseMs: number): void {
    if (this.isClosed) return;
    this.remembered.set(leaseId, { key, until: performance.now() + leaseMs });
    const [oldest] = this.remembered.keys();
    if (this.remembered.size > REMEMBERED_MAX && oldest) this.remembered.delete(oldest);
    this.tryRelease(key, leaseId);
    this.repeatLater();
  }

  close(): void {
    this.isClosed = true;
    clearTimeout(this.timer);
    this.remembered.clear();
  }

  private repeatLater(): void {
    if (this.timer || this.remembered.size === 0 || this.isClosed) return;
    this.timer = setTimeout(() => this.repeat(), REPEAT_MS).unref();
  }

  private repeat(): void {
    this.timer = undefined;
    const now = performance.now();
    for (const [leaseId, { until }] of this.remembered) if (until <= now) this.remembered.delete(leaseId);
    // The tried ones go to the end, so that each has its turn.
    for (const [leaseId, orphan] of [...this.remembered].slice(0, REPEATED_MAX)) {
      this.remembered.delete(leaseId);
      this.remembered.set(leaseId, orphan);
      this.tryRelease(orphan.key, leaseId);
    }
    this.repeatLater();
  }

  private tryRelease(key: string, leaseId: string): void {
    this.release({ key, leaseId }).then(
      (wasHeld) => wasHeld && this.remembered.delete(leaseId), // otherwise it may still be granted
      (error: unknown) => {
        if (!(error instanceof StoreUnavailableError)) reportDefect(error);
      },
    );
  }
}
