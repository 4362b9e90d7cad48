/** One acknowledged invalidation of one fact. */
export interface Promised {
  /** When the acknowledgement was known. It binds reads that begin later. */
  readonly at: number;
  /** The version that the source held when the invalidation was requested. */
  readonly version: number;
  /** When the invalidation began. */
  readonly startedAt: number;
  /** The process that invalidated. */
  readonly by: number;
}

/** The acknowledged invalidations of one fact, in the order of their acknowledgements. */
export class FactPromises {
  private readonly all: Promised[] = [];
  /**
   * For each index, the index of the invalidation with the highest version (`newest`) or the latest start (`latest`)
   * among those up to it.
   */
  private readonly newest: number[] = [];
  private readonly latest: number[] = [];

  add(promised: Promised): void {
    // Files of different processes are read one after the other, so an earlier acknowledgement may arrive a little
    // later.
    let i = this.all.length;
    while (i > 0 && (this.all[i - 1] as Promised).at > promised.at) i--;
    this.all.splice(i, 0, promised);
    this.newest.length = i;
    this.latest.length = i;
    for (; i < this.all.length; i++) {
      this.newest.push(this.better(this.newest[i - 1], i, (p) => p.version));
      this.latest.push(this.better(this.latest[i - 1], i, (p) => p.startedAt));
    }
  }

  /** How many were acknowledged before this instant. */
  countBefore(instant: number): number {
    let low = 0;
    let high = this.all.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.all[middle] as Promised).at < instant) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  get(index: number): Promised | undefined {
    return this.all[index];
  }

  /** The invalidation with the highest version among the first `count`. */
  newestOf(count: number): Promised | undefined {
    return count === 0 ? undefined : this.all[this.newest[count - 1] as number];
  }

  /** The invalidation that began last among the first `count`. */
  latestOf(count: number): Promised | undefined {
    return count === 0 ? undefined : this.all[this.latest[count - 1] as number];
  }

  private better(before: number | undefined, index: number, of: (p: Promised) => number): number {
    if (before === undefined) return index;
    return of(this.all[index] as Promised) > of(this.all[before] as Promised) ? index : before;
  }
}
