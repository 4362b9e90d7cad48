/** The median: the middle number, or the mean of the two middle numbers. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** The smallest number that at least this part (0 to 1) of the numbers does not exceed. */
export function percentile(numbers: readonly number[], part: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? Number.NaN;
}

/** Operations per second when `concurrency` callers repeat the operation, each one call after the other. */
export async function throughput(
  concurrency: number,
  ms: number,
  operation: (i: number) => Promise<unknown>,
): Promise<number> {
  const begin = performance.now();
  const end = begin + ms;
  let count = 0;
  const caller = async () => {
    while (performance.now() < end) await operation(count++);
  };
  await Promise.all(Array.from({ length: concurrency }, caller));
  return (count / (performance.now() - begin)) * 1000;
}

/** Numbers by name, collected round by round. */
export class Samples {
  private readonly byName = new Map<string, number[]>();

  add(name: string, ...numbers: number[]): void {
    const samples = this.byName.get(name);
    if (samples) samples.push(...numbers);
    else this.byName.set(name, numbers);
  }

  of(name: string): readonly number[] {
    return this.byName.get(name) ?? [];
  }

  median(name: string): number {
    return median(this.of(name));
  }

  /** The median over the rounds of one name's number divided by the other's of the same round. */
  ratio(name: string, floor: string): number {
    const floors = this.of(floor);
    return median(this.of(name).map((number, round) => number / (floors[round] ?? Number.NaN)));
  }
}
