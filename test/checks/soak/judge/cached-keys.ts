import { Redis } from 'ioredis';

const ENTRY = /^\{[^}]+\}:e:(.+)$/;
const PAGE = 1_000;

/** The keys of the entries in Redis, as the cache's users know them: `orders:detail:001…:801…`. */
export async function cachedKeys(redisUrl: string, appName: string): Promise<string[]> {
  const redis = new Redis(redisUrl);
  try {
    const keys: string[] = [];
    let cursor = '0';
    do {
      const [next, found] = await redis.scan(cursor, 'MATCH', `{${appName}.v*.P*}:e:*`, 'COUNT', PAGE);
      cursor = next;
      keys.push(...found.flatMap((key) => ENTRY.exec(key)?.[1] ?? []));
    } while (cursor !== '0');
    return [...new Set(keys)].sort();
  } finally {
    redis.disconnect();
  }
}

/** The number of keys per bucket: `orders:detail` → 24. */
export function countedByBucket(keys: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const key of keys) {
    const bucket = key.split(':').slice(0, 2).join(':');
    counts[bucket] = (counts[bucket] ?? 0) + 1;
  }
  return counts;
}

/** The order whose detail the key holds; undefined for every other key. */
export function orderOfKey(key: string): string | undefined {
  return /^orders:detail:\w{18}:(\w{18})$/.exec(key)?.[1];
}
