import type { StartPoint } from '../../protocol/cache-store.js';
import { ExpiryQueue } from './expiry-queue.js';

/** The right to build or lock a key, until `expiresAt`. */
export interface Lease {
  readonly leaseId: string;
  readonly start: StartPoint;
  readonly expiresAt: number;
}

/** The leases of builds and locks. A lease that has expired counts as absent. */
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

  /** Grants or renews this lease, in place of any other lease of the key. */
  grant(key: string, leaseId: string, start: StartPoint, leaseMs: number): void {
    const expiresAt = this.clock() + leaseMs;
    this.leases.set(key, { leaseId, start, expiresAt });
    this.expiry.set(key, expiresAt);
  }

  end(key: string): void {
    this.leases.delete(key);
    this.expiry.delete(key);
  }

  /** Forgets at most `countMax` expired leases that nobody asked for again; returns how many. */
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
