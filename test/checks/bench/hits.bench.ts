import type { LoadingBucket } from '@bff/infra/cache/bucket';
import type { CacheService } from '@bff/infra/cache/cache.service';
import { createCache } from '@bff/infra/cache/create-cache';
import { DomainCache } from '@bff/infra/cache/domain-cache';
import { changeDriven, hybrid, sliding, ttl, type Strategy } from '@bff/infra/cache/strategies';
import { LRUCache } from 'lru-cache';
import type { BenchEffort, BenchTable, Target } from './bench-table.js';
import { COLUMNS, drawnFrom, hitsPerSecond, KEYS, type Column } from './hit-rounds.js';
import { Samples } from './statistics.js';

const FLOOR = 'awaited lru-cache get';
const TTL_SECONDS = 3600;
const FILLING = 64;
/** Ids of Salesforce: texts of 18 characters. */
const IDS = Array.from({ length: KEYS }, (_, i) => `001Qy00000${String(i).padStart(5, '0')}AAQ`);
const KEY_NAMES = IDS.map((id) => `orders:account:${id}`);
/** The value of every entry. */
const VALUE = { id: 'x', text: 'v'.repeat(180) };

/** How the L1 is: a row of the table is measured in each. */
interface Place {
  readonly name: string;
  readonly partitions: number;
  readonly maxEntries: number;
  /** Whether rows have targets here. */
  readonly isJudged: boolean;
}

const PLACES: readonly Place[] = [
  { name: 'roomy', partitions: 1, maxEntries: 50_000, isJudged: true },
  { name: 'crowded', partitions: 1, maxEntries: KEYS + 100, isJudged: true },
  { name: '4 partitions', partitions: 4, maxEntries: 50_000, isJudged: false },
];

/** A call, as the table shows it. */
interface Call {
  readonly name: string;
  /** Least ratio to the floor, where the place is judged. */
  readonly least: number;
  /** Whether the least ratio counts for a roomy L1 only: the best case. */
  readonly isBestCase?: boolean;
  /** The call for one id or key; `isFilling` says that it may fetch. */
  open(cache: CacheService, state: { isFilling: boolean }): { readonly hit: (name: string) => Promise<unknown> };
  readonly names: readonly string[];
}

class Orders extends DomainCache {
  readonly byAccount: LoadingBucket<unknown, [account: string]>;

  constructor(cache: CacheService, strategy: Strategy, state: { isFilling: boolean }) {
    super('orders', cache);
    this.byAccount = this.bucket<unknown, [account: string]>('account', { strategy, load: () => fetchOf(state)() });
  }
}

const CALLS: readonly Call[] = [
  ...Object.entries({
    'change-driven': changeDriven(),
    TTL: ttl(TTL_SECONDS),
    hybrid: hybrid(TTL_SECONDS),
    sliding: sliding(TTL_SECONDS),
  }).map(([name, strategy]): Call => ({
    name: `\`bucket.get([id])\`, ${name}`,
    least: 0.5,
    names: IDS,
    open(cache, state) {
      const { byAccount } = new Orders(cache, strategy, state);
      return { hit: (id) => byAccount.get([id]) };
    },
  })),
  {
    name: '`getOrSet(key, fetch, { ttlSeconds })`',
    least: 0.65,
    names: KEY_NAMES,
    open(cache, state) {
      const fetch = fetchOf(state);
      return { hit: (key) => cache.getOrSet(key, fetch, { ttlSeconds: TTL_SECONDS }) };
    },
  },
  {
    name: '`getOrSet(key, fetch)`',
    least: 0.8,
    isBestCase: true,
    names: KEY_NAMES,
    open(cache, state) {
      const fetch = fetchOf(state);
      return { hit: (key) => cache.getOrSet(key, fetch) };
    },
  },
];

function fetchOf(state: { isFilling: boolean }): () => Promise<unknown> {
  return () => (state.isFilling ? Promise.resolve(VALUE) : Promise.reject(new Error('a hit was expected')));
}

/** Hits in the process as users call them, beside a `get` of lru-cache that is awaited like any read-through call. */
export async function benchHits(redisUrl: string, { isQuick }: BenchEffort): Promise<BenchTable> {
  const rounds = isQuick ? 15 : 45;
  const rates = new Samples();
  const lru = new LRUCache<string, object>({ max: KEYS * 2 });
  for (const key of KEY_NAMES) lru.set(key, { ...VALUE });
  for (const call of CALLS) for (const place of PLACES) await measure(call, place, { redisUrl, rounds, rates, lru });
  return table(rates);
}

interface Bench {
  readonly redisUrl: string;
  readonly rounds: number;
  readonly rates: Samples;
  readonly lru: LRUCache<string, object>;
}

async function measure(call: Call, place: Place, { redisUrl, rounds, rates, lru }: Bench): Promise<void> {
  const { partitions, maxEntries } = place;
  const appName = `bench-hits-${CALLS.indexOf(call)}-${PLACES.indexOf(place)}`;
  const cache = createCache({ redisUrl, appName, commandTimeoutMs: 5000, partitions, l1: { maxEntries } });
  await cache.open();
  const state = { isFilling: true };
  const { hit } = call.open(cache, state);
  for (let begin = 0; begin < KEYS; begin += FILLING)
    await Promise.all(call.names.slice(begin, begin + FILLING).map(hit));
  await Promise.all(call.names.map(hit)); // what the bus had not reported when it was built is kept by these hits in Redis
  state.isFilling = false;
  for (const column of COLUMNS) {
    const keyOf = drawnFrom(column, KEY_NAMES);
    const nameOf = drawnFrom(column, call.names);
    for (let round = -1; round < rounds; round++) {
      const floor = await hitsPerSecond(async (i) => lru.get(keyOf(i)));
      const rate = await hitsPerSecond((i) => hit(nameOf(i)));
      if (round < 0) continue; // it warms up
      rates.add(sample(FLOOR, place, column), floor);
      rates.add(sample(call.name, place, column), rate);
      rates.add(sample(`ratio ${call.name}`, place, column), rate / floor);
    }
  }
  await cache.close();
}

function sample(name: string, place: Place, column: Column): string {
  return `${name}, ${place.name}, ${column}`;
}

function table(rates: Samples): BenchTable {
  const columns = PLACES.flatMap((place) => COLUMNS.map((column) => ({ place, column })));
  const ratio = (call: Call, place: Place, column: Column) => rates.median(sample(`ratio ${call.name}`, place, column));
  const cells = (call: Call) => columns.map(({ place, column }) => ratio(call, place, column).toFixed(2));
  const floors = columns.map(({ place, column }) => rates.median(sample(FLOOR, place, column)));
  return {
    title: 'Hit in the process, as it is called',
    intro:
      'One call after the other. `bucket` is a bucket with `load`; each call makes a new array for the id and new options. ' +
      'Roomy: an L1 with place for five times the entries; crowded: an L1 that is full but for a hundredth. The floor in ' +
      'hits a second; the others as a part of the floor in the same round, median over the rounds.',
    header: ['', ...columns.map(({ place, column }) => `${column}, ${place.name}`)],
    rows: [
      [FLOOR, ...floors.map((rate) => `${Math.round(rate).toLocaleString('en')}/s`)],
      ...CALLS.map((call) => [call.name, ...cells(call)]),
    ],
    notes: [],
    targets: CALLS.map((call): Target => {
      const judged = columns.filter(({ place }) => place.isJudged && !(call.isBestCase && place.name !== 'roomy'));
      const least = Math.min(...judged.map(({ place, column }) => ratio(call, place, column)));
      return {
        what: `L1 hit, ${call.name}, least of ${judged.length} columns, of the floor`,
        target: `≥ ${call.least.toFixed(2)}`,
        measured: least.toFixed(2),
        isMet: least >= call.least,
      };
    }),
  };
}
