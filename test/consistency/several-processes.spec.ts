import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CacheProcess } from '../support/cache/cache-process-pool.js';
import { useRedis } from '../support/redis/use-redis.js';

const PROCESSES = 4;

describe('several processes over one Redis', () => {
  const redis = useRedis();
  let processes: CacheProcess[];
  let appName: string;
  beforeEach(async () => {
    await redis.admin.flushall();
    appName = 'several';
    processes = await Promise.all(
      Array.from({ length: PROCESSES }, () => CacheProcess.start(redis.server.url, appName)),
    );
  });
  afterEach(() => Promise.all(processes.map((p) => p.kill())));

  const ask = (key: string, fetchMs: number, leaseMs = 10_000) =>
    ({ operation: 'getOrSet', key, callers: 100, fetchMs, leaseMs }) as const;
  const first = <T>(promises: Promise<T>[]) => Promise.race(promises);

  it('100 callers in each of 4 processes on a cold key cause one fetch', async () => {
    for (let round = 0; round < 5; round++) {
      const key = `cold:${round}`;
      await redis.admin.set(`source:${key}`, 'value');
      const answers = await Promise.all(processes.map((p) => p.call(ask(key, 100))));
      expect(new Set(answers.flat())).toEqual(new Set(['value']));
      expect(await redis.admin.get(`fetches:${key}`)).toBe('1');
    }
  });

  it('when the builder is killed in the middle of its fetch, the others get the value within its lease', async () => {
    await redis.admin.set('source:k', 'value');
    const leaseMs = 1500;
    const [victim, ...others] = processes as [CacheProcess, ...CacheProcess[]];
    const fetching = victim.hears((response) => response.kind === 'fetching');
    const lost = victim.call(ask('k', 60_000, leaseMs)).catch((error: Error) => error);
    await fetching;
    const waiting = others.map((p) => p.call(ask('k', 50, leaseMs)));
    await victim.kill('SIGKILL');
    const begin = performance.now();
    const answers = await Promise.all(waiting);
    // The dead builder's lease, a new fetch, and a second for a loaded machine.
    expect(performance.now() - begin).toBeLessThan(leaseMs + 50 + 1000);
    expect(new Set(answers.flat())).toEqual(new Set(['value']));
    expect(await redis.admin.get('fetches:k')).toBe('2');
    expect(await lost).toBeInstanceOf(Error);
  });

  it('[J16] increments under a lock are all counted, whichever process makes them', async () => {
    const counts = await Promise.all(processes.map((p) => p.call({ operation: 'increment', key: 'n', times: 10 })));
    expect(counts.flat().sort((a, b) => Number(a) - Number(b))).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
    expect(await processes[0]?.call({ operation: 'get', key: 'n' })).toBe(40);
  });

  it('[P25] [P26] a fetch in one process, begun before an invalidation in another, reaches no later reader in a third', async () => {
    await redis.admin.set('source:k', 'old');
    const [builder, invalidator, reader] = processes as [CacheProcess, CacheProcess, CacheProcess];
    const fetching = builder.hears((response) => response.kind === 'fetching');
    const early = builder.call({ ...ask('k', 1000), callers: 1 });
    await fetching;
    await redis.admin.set('source:k', 'new');
    await invalidator.call({ operation: 'invalidate', key: 'k' });
    const late = await first([reader.call(ask('k', 10)), builder.call(ask('k', 10))]);
    expect(new Set(late as string[])).toEqual(new Set(['new']));
    expect(await early).toEqual(['old']);
    for (const p of processes) expect(await p.call({ operation: 'get', key: 'k' })).toBe('new');
  });
});
