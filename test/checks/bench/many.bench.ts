import { Redis } from 'ioredis';
import { ManyBucket } from '@bff/infra/cache/many-bucket';
import { createCache } from '@bff/infra/cache/create-cache';
import { changeDriven } from '@bff/infra/cache/strategies';
import type { BenchEffort, BenchTable } from './bench-table.js';
import { Samples, throughput } from './statistics.js';

const IDS = 200;
const BYTES = 200;
const RATIO_MAX = 1.3;
const FLOOR = 'one MGET + JSON.parse';
const MANY = 'bucket.getMany';
const SINGLY = 'bucket.get for each';

/** 200 entries that are all in Redis, beside one bare `MGET` of as many values with `JSON.parse`. Without an L1. */
export async function benchMany(redisUrl: string, { isQuick }: BenchEffort): Promise<BenchTable> {
  const redis = new Redis(redisUrl);
  const cache = createCache({ redisUrl, appName: 'bench-many', l1: 'off' });
  const value = { id: 'x', text: 'v'.repeat(BYTES - 20) };
  const bucket = new ManyBucket<typeof value, [id: string]>(cache, 'bench', 'many', {
    strategy: changeDriven(),
    loadMany: async (many) => many.map(() => value),
  });
  const ids = Array.from({ length: IDS }, (_, i): [string] => [`id${i}`]);
  const bareKeys = ids.map(([id]) => `bare:many:${id}`);
  const rates = new Samples();
  try {
    await cache.open();
    for (const key of bareKeys) await redis.set(key, JSON.stringify(value));
    await bucket.getMany(ids);
    const floor = async () => (await redis.mget(bareKeys)).map((text) => JSON.parse(text as string) as unknown);
    const ways: [string, () => Promise<unknown>][] = [
      [FLOOR, floor],
      [MANY, () => bucket.getMany([...ids])],
      [SINGLY, () => Promise.all(ids.map((id) => bucket.get(id)))],
    ];
    for (let round = -1; round < (isQuick ? 5 : 11); round++) {
      for (const [name, ask] of ways) {
        const rate = await throughput(1, isQuick ? 100 : 200, ask);
        if (round >= 0) rates.add(name, rate); // the first warms up
      }
    }
  } finally {
    await cache.close();
    redis.disconnect();
  }
  return table(rates);
}

function table(rates: Samples): BenchTable {
  const time = (name: string) => 1 / rates.ratio(name, FLOOR);
  const measured = time(MANY);
  return {
    title: 'Many entries at once',
    intro:
      `Each call reads ${IDS} entries of ${BYTES} B that are in Redis, one call at a time, without an L1. The floor in ` +
      'calls a second; the others as the time of a call, as a multiple of the floor in the same round, median over the rounds.',
    header: ['', `${IDS} × ${BYTES} B`],
    rows: [
      [FLOOR, `${Math.round(rates.median(FLOOR)).toLocaleString('en')}/s`],
      ...[MANY, SINGLY].map((name) => [name, `${time(name).toFixed(2)} ×`]),
    ],
    notes: [],
    targets: [
      {
        what: `getMany of ${IDS} entries in Redis, time as a multiple of the floor`,
        target: `≤ ${RATIO_MAX}`,
        measured: measured.toFixed(2),
        isMet: measured <= RATIO_MAX,
      },
    ],
  };
}
