import { nonce } from './nonce.js';
import type { Partitions } from './partition.js';
import type { Refusal } from './redis-guard.js';
import { runScript, type RedisConnection } from './scripts.js';

/**
 * Before a server is used: do all processes agree on the layout, and does what the server holds belong to its own history?
 * Entries that another run of it, or of another server, wrote are dropped (docs/decisions/0004).
 */
export async function examineServer(
  redis: RedisConnection,
  appName: string,
  partitions: Partitions,
): Promise<Refusal | undefined> {
  const refusal = await layoutRefusal(redis, appName, partitions.all.length);
  if (refusal) return refusal;
  await Promise.all(partitions.all.map(({ gateKey, tag }) => runScript(redis, 'adopt', gateKey, [tag, nonce()])));
  return undefined;
}

/** Processes that disagree about the number of partitions would look for the same entry in different places. */
async function layoutRefusal(redis: RedisConnection, appName: string, count: number): Promise<Refusal | undefined> {
  const key = `{${appName}.layout}`;
  await redis.setnx(key, String(count));
  const agreed = await redis.get(key);
  if (agreed === String(count)) return undefined;
  const reason =
    `${appName} has ${agreed} partitions in this Redis, and this process is configured for ${count}: use the same number ` +
    `everywhere, or another appName; when no process runs any more, delete ${key}`;
  return { reason, isPassing: false };
}
