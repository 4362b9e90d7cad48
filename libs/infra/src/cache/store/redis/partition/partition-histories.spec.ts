import { describe, expect, it } from '@jest/globals';
import { PartitionHistories } from './partition-histories.js';
import { Partitions } from './partition.js';
import type { RedisConnection } from './scripts.js';

const LOOKED_AGAIN_MS = 2_000;

describe('what a process knows of a partition', () => {
  it('[A1] is looked at again when a doubt comes while the answer to the last look is on its way', async () => {
    const partitions = new Partitions('doubted', 1);
    const partition = partitions.all[0]!;
    let looks = 0;
    const adopt = () => Promise.resolve([0, Buffer.from(`${++looks} 0 0 tip${looks} 7 -`)]);
    const redis = { evergreen_adoptBuffer: adopt } as unknown as RedisConnection;
    const guard = { redis, run: <T>(command: () => Promise<T>) => command(), tellOutage: () => undefined };
    const histories = new PartitionHistories(guard, partitions);
    let doubt: string | undefined = 'a script has found its slot open';
    Object.defineProperty(partition, 'doubt', {
      get: () => doubt,
      set: (reason: string | undefined) => {
        const isCleared = doubt !== undefined && reason === undefined;
        doubt = reason;
        // As if the refusal of another script came in the same packet as the answer to the look.
        if (isCleared && looks === 1) queueMicrotask(() => histories.doubt(partition, 'and another one'));
      },
    });
    try {
      await histories.settle(partition);
      expect(doubt).toBe('and another one');
      const until = performance.now() + LOOKED_AGAIN_MS;
      while (doubt !== undefined && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 5));
      expect(doubt).toBeUndefined();
      expect(looks).toBe(2);
    } finally {
      histories.close();
    }
  });
});
