import { randomUUID } from 'node:crypto';
import { StoreUnavailableError, WaitTimeoutError } from '../../cache.errors.js';
import type { CacheLock, LockOptions, SetOptions } from '../../cache.types.js';
import { LEASE_MS, WAIT_MS, within } from '../../protocol/limits.js';
import type { ReadDefaults } from '../get-or-set-options.js';
import { pollMs, type LeaseWatches } from '../lease-watch.js';
import type { CacheStore } from '../../protocol/cache-store.js';
import type { ValueCodec } from '../../protocol/value-codec.js';

/** The parts of the cache that locks use. */
export interface LockHost {
  readonly store: CacheStore;
  readonly codec: ValueCodec;
  readonly leaseWatches: LeaseWatches;
  readonly defaults: Pick<ReadDefaults, 'waitMs' | 'leaseMs'>;
  /** Throws if the key must not be locked, or the cache is closed; the caller must await a returned promise first. */
  admit(key: string): Promise<void> | undefined;
  /** Writes under the lease, acknowledged like any write; false if the lease is no longer held. */
  write(key: string, value: unknown, leaseId: string, options: SetOptions): Promise<boolean>;
}

/**
 * Locks are leases like those of builds: one holder per key over all processes, for a limited time. Their safety does
 * not rest on that time: the store refuses the write of a holder whose lease has gone, so nobody has to trust a clock.
 */
export class CacheLocks {
  constructor(private readonly host: LockHost) {}

  /** Rejects `CACHE_WAIT_TIMEOUT` if somebody else still holds the key after `waitMs`. */
  async acquire<T>(key: string, options: LockOptions = {}): Promise<CacheLock<T>> {
    const { defaults } = this.host;
    const waitMs = within('waitMs', options.waitMs ?? defaults.waitMs, WAIT_MS);
    const leaseMs = Math.ceil(within('leaseMs', options.leaseMs ?? defaults.leaseMs, LEASE_MS));
    const deadline = performance.now() + waitMs;
    for (let attempt = 0; ; attempt++) {
      const opening = this.host.admit(key);
      if (opening) await opening;
      const watch = this.host.leaseWatches.watch(key);
      try {
        const leaseId = randomUUID();
        const reply = await this.host.store.begin({ key, leaseId, leaseMs, known: [], refresh: true });
        if (reply.kind === 'lease') return await this.locked<T>(key, leaseId);
        const left = deadline - performance.now();
        if (left <= 0) throw new WaitTimeoutError(key, waitMs, 'locked');
        if (reply.kind === 'wait') await watch.wait(reply.leaseId, Math.min(left, pollMs(attempt, reply.expiresInMs)));
      } finally {
        watch.close();
      }
    }
  }

  private async locked<T>(key: string, leaseId: string): Promise<CacheLock<T>> {
    const release = () => this.release(key, leaseId);
    try {
      const stored = await this.host.store.read(key);
      // Parsed for this holder alone: it may change the value, and an L1 shares its values.
      const value = ((stored && this.host.codec.decode(key, stored))?.value ?? null) as T | null;
      const write = (next: T, options: SetOptions = {}) => this.host.write(key, next, leaseId, options);
      return { key, value, write, release };
    } catch (error) {
      await release();
      throw error;
    }
  }

  private async release(key: string, leaseId: string): Promise<void> {
    try {
      await this.host.store.release({ key, leaseId });
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error; // in an outage the lease ends by itself
    }
  }
}
