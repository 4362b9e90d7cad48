/** The number of keys of the column "zipf". */
export const KEYS = 10_000;
/** Short, so that what else the machine does falls on a floor and what is measured beside it alike. */
const ROUND_MS = 20;
const DRAWN = 1 << 16;

/**
 * The numbers of the keys of successive calls, with chances in proportion to 1/rank: the skew of popular pages. They
 * are drawn once, the same for all that is measured.
 */
const ZIPF = zipf();

/** The columns of a table of hits: which keys are asked for. */
export const COLUMNS = ['1 key', `${KEYS.toLocaleString('en')} keys, zipf`] as const;
export type Column = (typeof COLUMNS)[number];

/** For each number of a call, what it asks for: one of `names`, which are made before the measurement. */
export function drawnFrom(column: Column, names: readonly string[]): (i: number) => string {
  if (column === '1 key') return () => names[7] as string;
  const drawn = ZIPF.map((rank) => names[rank] as string);
  return (i) => drawn[i % DRAWN] as string;
}

/** Calls one after the other. Checks the clock once per 500 hits, because a check takes longer than a hit. */
export async function hitsPerSecond(hit: (i: number) => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  let count = 0;
  while (performance.now() - begin < ROUND_MS) {
    for (const end = count + 500; count < end;) await hit(count++);
  }
  return (count / (performance.now() - begin)) * 1000;
}

function zipf(): number[] {
  const weights = Array.from({ length: KEYS }, (_, rank) => 1 / (rank + 1));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let seed = 42;
  return Array.from({ length: DRAWN }, () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    let rest = (seed / 2_147_483_648) * total;
    let rank = 0;
    while (rank < KEYS - 1 && (rest -= weights[rank] as number) > 0) rank++;
    return rank;
  });
}
