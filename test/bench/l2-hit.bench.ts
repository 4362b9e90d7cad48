import { createCache } from '@bff/infra/cache/create-cache';
import { Redis } from 'ioredis';
import { median, throughput } from './statistics.js';
import type { BenchResult } from './bench-result.js';

const KEYS = 1000;
const ROUNDS = 11;
const ROUND_MS = 150;

/** A hit in Redis through `getOrSet`, beside what it cannot beat by much: a bare `GET` and `JSON.parse`. */
export async function benchL2Hit(redisUrl: string): Promise<BenchResult[]> {
  const results: BenchResult[] = [];
  for (const bytes of [200, 10_240]) {
    for (const concurrency of [1, 16, 256]) results.push(await measure(redisUrl, bytes, concurrency));
  }
  return results;
}

async function measure(redisUrl: string, bytes: number, concurrency: number): Promise<BenchResult> {
  const redis = new Redis(redisUrl);
  const cache = createCache({ redisUrl, appName: 'bench', commandTimeoutMs: 5000 });
  const value = { id: 'x', text: 'v'.repeat(bytes - 20) };
  for (let i = 0; i < KEYS; i++) {
    await redis.set(`bare:${bytes}:${i}`, JSON.stringify(value));
    await cache.getOrSet(`hit:${bytes}:${i}`, async () => value);
  }
  const fetcher = () => Promise.reject(new Error('a hit was expected'));
  const floor = async (i: number) =>
    JSON.parse((await redis.get(`bare:${bytes}:${(i * 7919) % KEYS}`)) as string) as unknown;
  const ours = (i: number) => cache.getOrSet(`hit:${bytes}:${(i * 7919) % KEYS}`, fetcher);
  await throughput(concurrency, 300, floor);
  await throughput(concurrency, 300, ours);
  const floors: number[] = [];
  const rates: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    floors.push(await throughput(concurrency, ROUND_MS, floor));
    rates.push(await throughput(concurrency, ROUND_MS, ours));
  }
  await cache.close();
  redis.disconnect();
  const ratio = median(rates.map((rate, i) => rate / (floors[i] as number)));
  return {
    scenario: `L2 hit, ${bytes} B, ${concurrency} at a time`,
    floor: `${Math.round(median(floors))} GET + parse /s`,
    ours: `${Math.round(median(rates))} /s`,
    ratio: ratio.toFixed(2),
    target: concurrency === 1 ? '-' : '≥ 0.80',
    isMet: concurrency === 1 || ratio >= 0.8,
  };
}
