import { needsOf } from '../../redis/needs.js';
import type { RedisClient } from '../../redis/redis-client.js';
import { NoncesUnavailableError, Nonces, type Claim } from '../nonces.js';

/** Nonces of all processes of an application: one expiring key each. */
export class RedisNonces extends Nonces {
  constructor(
    private readonly redis: RedisClient,
    private readonly appName: string,
  ) {
    super();
    needsOf(redis).set(this.key(''), {
      part: 'used nonces',
      keys: [this.key('')],
      keyPattern: this.key('*'),
      scratchKey: this.key('pr'),
      commands: ['DEL', 'SET'],
    });
  }

  async claim(nonce: string, lifeMs: number): Promise<Claim> {
    const reply = await answered(this.redis.set(this.key(nonce), '1', 'PX', lifeMs, 'NX'));
    return reply === 'OK' ? 'claimed' : 'known';
  }

  async keep(nonce: string, lifeMs: number): Promise<void> {
    await answered(this.redis.set(this.key(nonce), '1', 'PX', lifeMs));
  }

  async release(nonce: string): Promise<void> {
    await answered(this.redis.del(this.key(nonce)));
  }

  private key(nonce: string): string {
    return `{${this.appName}.nonces}:${nonce}`;
  }
}

async function answered<T>(reply: Promise<T>): Promise<T> {
  try {
    return await reply;
  } catch (error) {
    throw new NoncesUnavailableError((error as Error).message, { cause: error });
  }
}
