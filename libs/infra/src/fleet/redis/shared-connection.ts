import { CacheError, StoreUnavailableError } from '../../cache/cache.errors.js';
import type { RedisClient } from '../../redis/redis-client.js';
import { failureOf } from '../../redis/refused-reply.js';

/**
 * Runs commands on a connection that belongs to somebody else. Nothing is sent while the connection is away. A missing
 * answer and a refusal by the server both become a `StoreUnavailableError`; a defect of ours passes as it is. The cache
 * on the same connection examines the server and reports refusals. A primary that has become a replica refuses writes;
 * what is still read there only grows older.
 */
export class SharedConnection {
  private isClosed = false;

  constructor(private readonly redis: RedisClient) {}

  /**
   * The reply; rejects with `StoreUnavailableError` if there is none or it is a refusal. Without a reply, the command
   * may have been carried out.
   */
  async run<T>(command: (redis: RedisClient) => Promise<T>): Promise<T> {
    if (this.isClosed) throw new StoreUnavailableError('the store is closed');
    const { status } = this.redis;
    if (status !== 'ready') throw new StoreUnavailableError(`the connection to Redis is ${status}`);
    try {
      return await command(this.redis);
    } catch (error) {
      throw translated(error);
    }
  }

  /** After this nothing is sent. The connection itself stays as it is. */
  close(): void {
    this.isClosed = true;
  }
}

function translated(error: unknown): Error {
  if (error instanceof CacheError) return error;
  const failure = failureOf(error);
  if (failure.kind === 'defect') return failure.error;
  return new StoreUnavailableError(failure.message, { cause: failure.cause });
}
