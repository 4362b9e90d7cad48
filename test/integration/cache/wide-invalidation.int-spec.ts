import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CacheProcess } from '../../support/cache/cache-process-pool.js';
import { elapse, eventually } from '../../support/eventually.js';
import type { WatchedReads } from '../../support/processes/cache-process.messages.js';
import { useRedis } from '../../support/redis/use-redis.js';

const PROCESSES = 4;
const DEPENDANTS = 100_000;
const L1 = { maxEntries: 2 * DEPENDANTS, maxBytes: 2 ** 30 };
const FILL_MS = 180_000;

describe('[invariant 13] an invalidation of a record on which very many entries in the L1s depend', () => {
  const redis = useRedis();
  let processes: CacheProcess[];
  beforeEach(async () => {
    const options = { appName: 'wide', l1: L1 };
    const start = () => CacheProcess.startWith(redis.server.url, {}, options);
    processes = await Promise.all(Array.from({ length: PROCESSES }, start));
  });
  afterEach(() => Promise.all(processes.map((process) => process.kill())));

  const all = <T>(operation: 'entries' | 'watched') =>
    Promise.all(processes.map((process) => process.call({ operation, key: 'k' }) as Promise<T>));

  it(
    'is followed by no read of an old value in any process, and the L1s give the memory back',
    async () => {
      await redis.admin.set('source:k', 1);
      for (const process of processes) {
        const fill = () => process.call({ operation: 'fill', key: 'k', count: DEPENDANTS });
        await eventually(async () => (await fill()) === DEPENDANTS, { withinMs: FILL_MS / 4, what: 'a full L1' });
      }
      await Promise.all(
        processes.map((process) => process.call({ operation: 'watch', key: 'k', count: DEPENDANTS, old: 1 })),
      );
      await redis.admin.set('source:k', 2);
      const [first] = processes as [CacheProcess];
      const { at } = (await first.call({ operation: 'invalidate', key: 'k' })) as { at: number };
      await elapse(200); // reads while the sweeps go on
      for (const { reads, lastOldReadAt = 0 } of await all<WatchedReads>('watched')) {
        expect(reads).toBeGreaterThan(0);
        expect(lastOldReadAt).toBeLessThan(at);
      }
      // What the reads have brought back since is left.
      await eventually(async () => (await all<number>('entries')).every((count) => count < DEPENDANTS / 10), {
        withinMs: 30_000,
        what: 'the end of the sweeps',
      });
    },
    FILL_MS,
  );
});
