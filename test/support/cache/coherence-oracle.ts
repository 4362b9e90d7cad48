/** The versions of the records that a fetched value was built from. */
export type Built = Readonly<Record<string, number>>;

/**
 * A source of versioned records that also knows which versions were acknowledged. It detects a read that broke the
 * promise: a read that returned a version of a record older than one whose invalidation was acknowledged before the
 * read began.
 */
export class CoherenceOracle {
  readonly violations: string[] = [];
  reads = 0;
  private readonly versions = new Map<string, number>();
  private readonly acknowledged = new Map<string, number>();

  version(record: string): number {
    return this.versions.get(record) ?? 0;
  }

  /** Changes a record at the source; call the result once the invalidation of that change is acknowledged. */
  write(record: string): () => void {
    const version = this.version(record) + 1;
    this.versions.set(record, version);
    return () => this.acknowledged.set(record, Math.max(version, this.acknowledged.get(record) ?? 0));
  }

  /** Begins a read; call the result with what it returned (undefined for a miss). */
  read(reader: string): (value: Built | undefined) => void {
    const promised = new Map(this.acknowledged);
    return (value) => {
      this.reads++;
      for (const [record, version] of Object.entries(value ?? {})) {
        const least = promised.get(record) ?? 0;
        if (version < least)
          this.violations.push(`${reader} read ${record} at ${version}, after ${least} had been acknowledged`);
      }
    };
  }
}

/** A seeded random generator (mulberry32), so that a run can be repeated by its seed. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
