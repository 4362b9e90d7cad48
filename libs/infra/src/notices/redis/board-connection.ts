import type { RedisClient } from '../../redis/redis-client.js';

/** How long Redis holds a read that has nothing to return. Its reply also shows that the connection still works. */
export const BLOCK_MS = 2_000;
/** How long a read waits for its reply. Then it is rejected, because the connection counts as hanging. */
const PATIENCE_MS = BLOCK_MS + 1_500;

/**
 * A second connection to the same place for blocking reads, because such a read delays every command behind it. It
 * connects at the first `connect()`; the command connection reports outages.
 */
export function boardConnection(redis: RedisClient): RedisClient {
  // A socket timeout would outlive the connection's end (seen with ioredis 5.11.1); the reader ends a hanging
  // connection.
  const patience = { commandTimeout: PATIENCE_MS, socketTimeout: undefined };
  const connection =
    'nodes' in redis
      ? redis.duplicate([], { lazyConnect: true, redisOptions: { ...redis.options.redisOptions, ...patience } })
      : redis.duplicate({ ...patience, lazyConnect: true });
  connection.on('error', () => undefined); // its status shows the failure, and the read is rejected
  return connection;
}
