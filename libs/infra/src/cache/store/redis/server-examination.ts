import { LAYOUT, type Partitions } from './partition.js';
import type { PartitionHistories } from './partition-histories.js';
import type { Refusal } from './redis-guard.js';
import { runScript, type RedisConnection } from './scripts.js';

/**
 * Before a server is used: do all processes agree on the layout, and does what the server holds belong to a history that this
 * process may believe? Entries that another run of it, or of another server, wrote are dropped (docs/decisions/0004).
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
 * Processes that disagree about the number of partitions would look for the same entry in different places, and builds of
 * different layouts would not hear each other's invalidations. The build before layout 2 wrote the number alone, and refuses
 * what it does not know by the same rule.
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
