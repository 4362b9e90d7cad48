import { Redis } from 'ioredis';
import { startRedisServer } from '../../support/redis/redis-server.js';
import type { BenchEffort, BenchTable } from './bench-table.js';
import type { Contender, OpenOptions } from './contender.js';
import { handWrittenIndex } from './hand-written-index.js';
import { Lineup } from './lineup.js';
import { usedMemory } from './used-memory.js';

const BEYOND_BYTES_MAX = 1000;
const VALUE = { id: 'x', text: 'v'.repeat(180) };

/** A plain SET: the cost of key and value in Redis without an index. */
const bareSet: Contender = {
  ...handWrittenIndex,
  name: 'bare SET',
  async open(options: OpenOptions) {
    const cache = await handWrittenIndex.open(options);
    return { ...cache, fill: (key, value) => cache.fill(key, value, []) };
  },
};

/** Redis memory of an entry with three dependencies that no other entry has, including the index. */
export async function benchMemory(contenders: readonly Contender[], { isQuick }: BenchEffort): Promise<BenchTable> {
  const entries = isQuick ? 5_000 : 20_000;
  const bytes = new Map<string, number>();
  const lineup = await Lineup.open(
    'memory',
    [...contenders, bareSet, handWrittenIndex],
    (contender) => Promise.resolve(contender),
    () => Promise.resolve(),
  );
  await lineup.round(0, async ({ name, opened }) => {
    bytes.set(name, await bytesPerEntry(opened, entries));
  });
  const net = Buffer.byteLength(keyOf(0)) + Buffer.byteLength(JSON.stringify(VALUE));
  const beyond = (name: string) => (bytes.get(name) as number) - net;
  const ours = beyond('Evergreen');
  return {
    title: 'Redis memory of an entry with three dependencies of its own',
    intro:
      `used_memory over ${entries.toLocaleString('en')} entries, divided by their number, less the ${net} bytes of the ` +
      'key and its JSON; the index included.',
    header: ['', 'bytes an entry', 'beyond key and value'],
    rows: lineup.rows(2, (name) => [(bytes.get(name) as number).toFixed(0), beyond(name).toFixed(0)]),
    notes: lineup.notes(),
    targets: [
      {
        what: 'Redis memory of an entry beyond key and value',
        target: `≤ ${BEYOND_BYTES_MAX} B`,
        measured: `${ours.toFixed(0)} B`,
        isMet: ours <= BEYOND_BYTES_MAX,
      },
    ],
  };
}

async function bytesPerEntry(contender: Contender, entries: number): Promise<number> {
  const server = await startRedisServer();
  const admin = new Redis(server.url);
  const cache = await contender.open({ redisUrl: server.url, mode: 'l2', hasDependencies: true });
  try {
    await fill(0);
    const before = await usedMemory(admin);
    let next = 1;
    const filler = async () => {
      for (let i = next++; i <= entries; i = next++) await fill(i);
    };
    await Promise.all(Array.from({ length: 32 }, filler));
    return ((await usedMemory(admin)) - before) / entries;
  } finally {
    await cache.close();
    admin.disconnect();
    await server.stop();
  }

  function fill(i: number): Promise<unknown> {
    const items = [`OrderItem:802${id(2 * i)}`, `OrderItem:802${id(2 * i + 1)}`];
    return cache.fill(keyOf(i), VALUE, [`Order:801${id(i)}`, ...items]);
  }
}

function keyOf(i: number): string {
  return `orders:detail:801${id(i)}`;
}

/** The part of a Salesforce id after its prefix: fifteen characters. */
function id(i: number): string {
  return `${String(i).padStart(12, '0')}AAA`;
}
