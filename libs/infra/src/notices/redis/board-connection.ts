import type { RedisClient } from '../../redis/redis-client.js';

/** How long Redis holds a read that has nothing to answer. Its answer is also the sign that the connection still works. */
export const BLOCK_MS = 2_000;
/** A read without any answer after this is rejected: more than a slow answer is wrong then. */
const PATIENCE_MS = BLOCK_MS + 1_500;

/**
 * A second connection to the same place for reads that wait, because such a read holds up everything behind it. It connects
 * at the first `connect()`; its outages are the command connection's to report.
 */
export function boardConnection(redis: RedisClient): RedisClient {
  // A socket time-out would outlive the connection's end (seen with ioredis 5.11.1); the reader ends a connection that hangs.
  const patience = { commandTimeout: PATIENCE_MS, socketTimeout: undefined };
  const connection =
    'nodes' in redis
      ? redis.duplicate([], { lazyConnect: true, redisOptions: { ...redis.options.redisOptions, ...patience } })
      : redis.duplicate({ ...patience, lazyConnect: true });
  connection.on('error', () => undefined); // its status tells, and whoever reads is rejected
  return connection;
}
