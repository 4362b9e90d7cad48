import type { StartPoint } from '../cache-store.js';
import { ExpiryQueue } from './expiry-queue.js';

/** The right to build a key, until `expiresAt`. */
export interface Lease {
  readonly leaseId: string;
  readonly start: StartPoint;
  readonly expiresAt: number;
}

/** The leases of builds under way. One that has run out is as if it had never been. */
export class MemoryLeases {
  private readonly leases = new Map<string, Lease>();
  private readonly expiry = new ExpiryQueue();

  constructor(private readonly clock: () => number) {}

  get count(): number {
    return this.leases.size;
  }

  /** The lease that holds the key now. */
  holder(key: string): Lease | undefined {
    const lease = this.leases.get(key);
    if (!lease || lease.expiresAt > this.clock()) return lease;
    this.end(key);
    return undefined;
  }

  isHeldBy(key: string, leaseId: string): boolean {
    return this.holder(key)?.leaseId === leaseId;
  }

  /** Gives the key to this builder, whoever held it before. */
  grant(key: string, leaseId: string, start: StartPoint, leaseMs: number): void {
    const expiresAt = this.clock() + leaseMs;
    this.leases.set(key, { leaseId, start, expiresAt });
    this.expiry.set(key, expiresAt);
  }

  end(key: string): void {
    this.leases.delete(key);
    this.expiry.delete(key);
  }

  /** Forgets at most `countMax` leases that have run out and that nobody asked for again; how many it forgot. */
  dropExpired(countMax: number): number {
    for (let freed = 0; freed < countMax; freed += 1) {
      const key = this.expiry.expired(this.clock());
      if (key === undefined) return freed;
      this.end(key);
    }
    return countMax;
  }

  clear(): void {
    this.leases.clear();
    this.expiry.clear();
  }
}
