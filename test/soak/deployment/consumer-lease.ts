import { Redis } from 'ioredis';

/**
 * The process that holds the right to consume, as Redis says it (`<host>:<pid>:<random>`); undefined while nobody does, or
 * Redis does not answer. Health names it too, but for some seconds it may name one that has died.
 */
export async function leaseHolder(redisUrl: string, appName: string): Promise<string | undefined> {
  const redis = new Redis(redisUrl, { maxRetriesPerRequest: 0, retryStrategy: () => null, commandTimeout: 500 });
  redis.on('error', () => undefined); // its server comes and goes here
  try {
    const lease = await redis.get(`{${appName}.checkpoints}:lease:salesforce-events`);
    return lease?.replace(/^\d+ /, '');
  } catch {
    return undefined;
  } finally {
    redis.disconnect();
  }
}
