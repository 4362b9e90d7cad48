import { Redis } from 'ioredis';

/**
 * The process that holds the consumer lease in Redis, as `<host>:<pid>:<random>`; undefined while no process holds it,
 * or Redis does not answer. The health report names the holder too, but for some seconds it may name a process that has
 * died.
 */
export async function leaseHolder(redisUrl: string, appName: string): Promise<string | undefined> {
  const redis = new Redis(redisUrl, { maxRetriesPerRequest: 0, retryStrategy: () => null, commandTimeout: 500 });
  redis.on('error', () => undefined); // the soak stops and restarts the server
  try {
    const lease = await redis.get(`{${appName}.checkpoints}:lease:salesforce-events`);
    return lease?.replace(/^\d+ /, '');
  } catch {
    return undefined;
  } finally {
    redis.disconnect();
  }
}
