import type { RedisGuard } from './redis-guard.js';
import type { LeaseEnd } from '../cache-store.js';

/** Leases remembered for the next connection; beyond it the oldest run out by themselves. */
const REMEMBERED_MAX = 1000;

/**
 * Leases that may have been granted without anybody knowing: the request was sent, and its answer never came. Without care
 * such a lease keeps everybody waiting until it runs out, so it is given back: at once, behind the request on the same
 * connection, and again when the next connection is there.
 */
export class OrphanLeases {
  private readonly remembered = new Map<string, { key: string; until: number }>();

  constructor(
    guard: RedisGuard,
    private readonly release: (end: LeaseEnd) => Promise<void>,
  ) {
    guard.onUsable(() => this.releaseAll());
  }

  add(key: string, leaseId: string, leaseMs: number): void {
    this.remembered.set(leaseId, { key, until: performance.now() + leaseMs });
    const [oldest] = this.remembered.keys();
    if (this.remembered.size > REMEMBERED_MAX && oldest) this.remembered.delete(oldest);
    this.tryRelease(key, leaseId);
  }

  private releaseAll(): void {
    for (const [leaseId, { key, until }] of this.remembered) {
      if (until > performance.now()) this.tryRelease(key, leaseId);
      else this.remembered.delete(leaseId);
    }
  }

  private tryRelease(key: string, leaseId: string): void {
    this.release({ key, leaseId }).then(
      () => this.remembered.delete(leaseId),
      () => undefined, // it stays remembered for the next connection
    );
  }
}
