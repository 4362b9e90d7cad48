import type { RedisGuard } from './redis-guard.js';
import { isProvenBy } from './entry-envelope.js';
import type { Partition, Partitions } from './partition.js';

const PAGE = 500;

/**
 * Keys of a partition's live entries, in pages, each key once. It walks the directory with a cursor, so an entry that
 * lives throughout is found; the keys seen so far are remembered, because a cursor may show one twice.
 */
export async function* liveKeys(guard: RedisGuard, partition: Partition): AsyncGenerator<string[]> {
  const seen = new Set<string>();
  let cursor = '0';
  do {
    const [next, members] = await guard.run(() => guard.redis.zscan(`${partition.tag}:ut`, cursor, 'COUNT', PAGE));
    cursor = next;
    const fresh = members.filter((member, i) => i % 2 === 0 && !seen.has(member));
    for (const key of fresh) seen.add(key);
    const live = await onlyLive(guard, partition, fresh);
    if (live.length > 0) yield live;
  } while (cursor !== '0');
}

/**
 * Those of the keys whose entry stands. An entry that an unswept invalidation may have hit is left out: it is on its way
 * out or about to be read again.
 */
async function onlyLive(guard: RedisGuard, partition: Partition, keys: readonly string[]): Promise<string[]> {
  if (keys.length === 0) return [];
  const pipeline = guard.redis.pipeline().getBuffer(partition.gateKey);
  for (const key of keys) pipeline.getrangeBuffer(partition.entryKey(key), 0, 23);
  const [gateBytes, ...headers] = await results<Buffer | null>(guard, () => pipeline.exec());
  if (!gateBytes) return [];
  const gate = partition.gateOf(gateBytes);
  return keys.filter((_, i) => headers[i] && isProvenBy(gate, headers[i]));
}

/** Bytes of Redis memory for the values of these keys, as `MEMORY USAGE` counts them. */
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
