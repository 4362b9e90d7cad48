import { createCache } from '@bff/infra/cache/create-cache';
import type { BenchResult } from './bench-result.js';
import { median } from './statistics.js';

const CALLERS = 10_000;
const FETCH_MS = 50;
const ROUNDS = 9;
const EXCESS_MS_MAX = 40;

/** Ten thousand callers of one cold key in one process, beside ten thousand callers of a bare shared promise. */
export async function benchSingleFlight(redisUrl: string): Promise<BenchResult[]> {
  const cache = createCache({ redisUrl, appName: 'bench', commandTimeoutMs: 5000 });
  const ours: number[] = [];
  const floors: number[] = [];
  let fetches = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const shared = fetch();
    floors.push(await timed(() => shared));
    const fetcher = () => (fetches++, fetch());
    ours.push(await timed(() => cache.getOrSet(`cold:${round}`, fetcher)));
  }
  await cache.close();
  const excess = median(ours) - FETCH_MS;
  return [
    {
      scenario: `${CALLERS} callers of one cold key, ${FETCH_MS} ms fetch (${fetches} fetches in ${ROUNDS} rounds)`,
      floor: `${median(floors).toFixed(1)} ms`,
      ours: `${median(ours).toFixed(1)} ms`,
      ratio: `+${excess.toFixed(1)} ms over the fetch`,
      target: `≤ +${EXCESS_MS_MAX} ms, 1 fetch each`,
      isMet: excess <= EXCESS_MS_MAX && fetches === ROUNDS,
    },
  ];
}

function fetch(): Promise<{ answer: number }> {
  return new Promise((resolve) => setTimeout(() => resolve({ answer: 42 }), FETCH_MS));
}

async function timed(call: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await Promise.all(Array.from({ length: CALLERS }, call));
  return performance.now() - begin;
}
