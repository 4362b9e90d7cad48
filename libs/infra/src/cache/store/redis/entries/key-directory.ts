import type { StoredValue } from '../../../protocol/cache-store.js';
import { HEADER_BYTES, isProvenBy } from './entry-envelope.js';
import type { RedisGuard } from '../connection/redis-guard.js';
import type { Partition, Partitions } from '../partition/partition.js';

/** About how many keys of the directory one page looks at. */
const PAGE = 500;

/** Asks the store about an entry that the gate alone does not prove valid. */
type Examine = (key: string) => Promise<StoredValue | undefined>;

/**
 * Keys of a partition's live entries, in pages, each key once. It walks the directory with a cursor, so it finds every
 * entry that lives throughout the walk. A cursor may show a key twice, so the keys seen are remembered: about 100 bytes
 * a key in this process.
 */
export async function* liveKeys(guard: RedisGuard, partition: Partition, examine: Examine): AsyncGenerator<string[]> {
  const seen = new Set<string>();
  let cursor = '0';
  do {
    const [next, members] = await guard.run(() => guard.redis.hscan(`${partition.tag}:d`, cursor, 'COUNT', PAGE));
    cursor = next;
    const fresh = members.filter((member, i) => i % 2 === 0 && !seen.has(member));
    for (const key of fresh) seen.add(key);
    const live = await onlyLive(guard, partition, fresh, examine);
    if (live.length > 0) yield live;
  } while (cursor !== '0');
}

/** The keys whose entry is valid. */
async function onlyLive(
  guard: RedisGuard,
  partition: Partition,
  keys: readonly string[],
  examine: Examine,
): Promise<string[]> {
  if (keys.length === 0) return [];
  const pipeline = guard.redis.pipeline().getBuffer(partition.gateKey);
  for (const key of keys) pipeline.getrangeBuffer(partition.entryKey(key), 0, HEADER_BYTES - 1);
  const [gateBytes, ...headers] = await results<Buffer | null>(guard, () => pipeline.exec());
  const gate = gateBytes && partition.gateOf(gateBytes);
  if (!gate) return [];
  const isLive = await Promise.all(
    keys.map(async (key, i) => {
      const header = headers[i];
      if (!header?.length) return false;
      return isProvenBy(gate, header) || (await examine(key)) !== undefined;
    }),
  );
  return keys.filter((_, i) => isLive[i]);
}

/** Bytes of Redis memory for the entries of these keys, as `MEMORY USAGE` counts them. */
export async function memoryUsage(guard: RedisGuard, partitions: Partitions, keys: readonly string[]): Promise<number> {
  let bytes = 0;
  for (const partition of partitions.all) {
    const own = keys.filter((key) => partitions.of(key) === partition);
    if (own.length === 0) continue;
    const pipeline = guard.redis.pipeline();
    for (const key of own) pipeline.memory('USAGE', partition.entryKey(key));
    for (const usage of await results<number | null>(guard, () => pipeline.exec())) bytes += usage ?? 0;
  }
  return bytes;
}

/** The replies of a pipeline; rejects with the first error among them. */
function results<T>(guard: RedisGuard, exec: () => Promise<[Error | null, unknown][] | null>): Promise<T[]> {
  return guard.run(async () =>
    ((await exec()) ?? []).map(([error, reply]) => {
      if (error) throw error;
      return reply as T;
    }),
  );
}
