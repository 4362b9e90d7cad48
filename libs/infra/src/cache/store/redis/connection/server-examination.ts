import { LAYOUT, type Partitions } from '../partition/partition.js';
import type { PartitionHistories } from '../partition/partition-histories.js';
import type { Refusal } from './server-refusal.js';
import { runScript, type RedisConnection } from '../partition/scripts.js';

/**
 * Examines a server before its use: do all processes agree on the layout, and does each partition hold a history that
 * this process may believe? In a partition that does not, a new history begins and every entry is dropped
 * (docs/decisions/0004).
 */
export async function examineServer(
  redis: RedisConnection,
  appName: string,
  partitions: Partitions,
  histories: PartitionHistories,
): Promise<Refusal | undefined> {
  const refusal = await layoutRefusal(redis, appName, partitions.all.length);
  if (refusal) return refusal;
  await histories.examine();
  return undefined;
}

/**
 * Refuses a server whose layout differs. Processes with different numbers of partitions would look for one entry in
 * different places, and processes with different layouts would not hear each other's invalidations. Releases before
 * layout 2 wrote the number alone, and refuse any other text by the same rule.
 */
async function layoutRefusal(redis: RedisConnection, appName: string, count: number): Promise<Refusal | undefined> {
  const key = `{${appName}.layout}`;
  const own = `${count} v${LAYOUT}`;
  const agreed = (await redis.get(key)) ?? String(await runScript(redis, 'claim', key, [own]));
  if (agreed === own) return undefined;
  const [partitions = '', layout = 'v1'] = agreed.split(' ');
  const advice = `when no process of ${appName} runs any more, delete ${key}`;
  const reason =
    layout === `v${LAYOUT}`
      ? `${appName} has ${partitions} partitions in this Redis, and this process is configured for ${count}: use the same ` +
        `number everywhere, or another appName; ${advice}`
      : `${appName} is kept in this Redis in layout ${layout}, by another build; this one writes v${LAYOUT}, and cannot run ` +
        `beside it: stop the others first, or use another appName; ${advice}`;
  return { reason, isPassing: false };
}
