import { LRUCache } from 'lru-cache';
import { Nonces, type Claim } from '../nonces.js';

/**
 * Maximum number of nonces that are remembered. Only a sender that holds the secret gets this far, so this bounds a
 * faulty sender, not an attacker.
 */
const KEPT_MAX = 100_000;

/** Nonces of a single process. They end with it. */
export class MemoryNonces extends Nonces {
  private readonly used = new LRUCache<string, true>({ max: KEPT_MAX });

  async claim(nonce: string, lifeMs: number): Promise<Claim> {
    if (this.used.has(nonce)) return 'known';
    this.used.set(nonce, true, { ttl: lifeMs });
    return 'claimed';
  }

  async keep(nonce: string, lifeMs: number): Promise<void> {
    this.used.set(nonce, true, { ttl: lifeMs });
  }

  async release(nonce: string): Promise<void> {
    this.used.delete(nonce);
  }
}
