import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { CacheProcess } from '../support/cache/cache-process-pool.js';
import { elapse, eventually } from '../support/eventually.js';
import { useRedis } from '../support/redis/use-redis.js';

/** How long an L1 may serve without contact to Redis. */
const LEASE_MS = 1000;
/** How much longer than a lease an invalidation may take on a loaded machine. */
const MACHINE_MS = 700;

describe('L1 strict, several processes', () => {
  const redis = useRedis();
  let writer: CacheProcess;
  let readers: CacheProcess[];
  beforeAll(() => void redis.admin.on('error', () => undefined)); // one test stops the server
  beforeEach(async () => {
    await redis.admin.flushall();
    const start = () => CacheProcess.start(redis.server.url, 'l1', 'strict');
    [writer, ...readers] = await Promise.all([start(), start(), start()]);
    await redis.admin.set('source:k', 'v0');
    // The gate is young: the first invalidation waits until every lease of an earlier gate would have ended.
    await writer.call({ operation: 'invalidate', key: 'k' });
  });
  afterEach(() => Promise.all([writer, ...readers].map((p) => p.kill())));

  const read = async (p: CacheProcess) => {
    const [value] = (await p.call({ operation: 'getOrSet', key: 'k', callers: 1, fetchMs: 0, leaseMs: 2000 })) as [
      string,
    ];
    return value;
  };
  /** Reads until both readers hold the value in their L1, so that a read no longer asks Redis. */
  const warm = async () => {
    for (const p of readers) {
      await read(p);
      await eventually(async () => {
        const before = await commands(redis.admin);
        await read(p);
        return (await commands(redis.admin)) === before;
      });
    }
  };
  const change = async (value: string) => {
    await redis.admin.set('source:k', value);
    const begin = performance.now();
    await writer.call({ operation: 'invalidate', key: 'k' });
    return performance.now() - begin;
  };

  it('serves from the process, and no read after an acknowledged invalidation returns the old value', async () => {
    for (let round = 1; round <= 30; round++) {
      await warm();
      await change(`v${round}`);
      expect(await Promise.all(readers.map(read))).toEqual([`v${round}`, `v${round}`]);
    }
  });

  it('[invariant 13] a process that stands still delays an invalidation by its lease, and serves nothing old when it goes on', async () => {
    await warm();
    const [stopped, other] = readers as [CacheProcess, CacheProcess];
    stopped.signal('SIGSTOP');
    const took = await change('new');
    expect(took).toBeLessThan(LEASE_MS + MACHINE_MS);
    expect(await read(other)).toBe('new');
    const answer = read(stopped);
    stopped.signal('SIGCONT');
    expect(await answer).toBe('new');
    await warm();
    expect(await change('newer')).toBeLessThan(LEASE_MS);
    expect(await Promise.all(readers.map(read))).toEqual(['newer', 'newer']);
  });

  it('a killed process delays invalidations for one lease only', async () => {
    await warm();
    const [victim, other] = readers as [CacheProcess, CacheProcess];
    await victim.kill('SIGKILL');
    expect(await change('a')).toBeLessThan(LEASE_MS + MACHINE_MS);
    expect(await change('b')).toBeLessThan(LEASE_MS / 2);
    expect(await read(other)).toBe('b');
  });

  it('without Redis an L1 stops serving within its lease; after an empty restart nothing old comes back', async () => {
    await warm();
    await redis.server.kill('SIGKILL');
    await elapse(LEASE_MS + 50);
    await redis.server.restart();
    await eventually(async () => (await redis.admin.ping().catch(() => '')) === 'PONG');
    await redis.admin.set('source:k', 'after');
    await eventually(async () => (await Promise.all(readers.map(read))).every((value) => value === 'after'), {
      withinMs: 10_000,
    });
    // The writer may find Redis later than the readers do.
    const isAcknowledged = () =>
      change('after').then(
        () => true,
        () => false,
      );
    await eventually(isAcknowledged, { withinMs: 10_000, what: 'an acknowledgement' });
    const took = await change('later');
    expect(took).toBeLessThan(LEASE_MS + MACHINE_MS);
    expect(await Promise.all(readers.map(read))).toEqual(['later', 'later']);
  });
});

/** How many `MGET`s Redis has seen, from reads and from scripts such as `begin`. */
async function commands(redis: Redis): Promise<number> {
  const stats = await redis.info('commandstats');
  return Number(/cmdstat_mget:calls=(\d+)/.exec(stats)?.[1] ?? 0);
}
