interface Interval {
  readonly from: number;
  readonly to: number;
  /** The process that was stopped; undefined: Redis did not answer. */
  readonly by: number | undefined;
}

/** How long an outage still counts after its end: for reconnecting, and for the calls that waited for it. */
const AFTERMATH_US = 700_000;

/** How long acknowledgements took, with and without those that an outage or a stop of the own process delayed. */
export class AcknowledgementTimes {
  private readonly all: { readonly by: number; readonly from: number; readonly to: number }[] = [];
  private readonly outages: Interval[] = [];

  add(by: number, from: number, to: number): void {
    this.all.push({ by, from, to });
  }

  /** Redis did not answer, or process `by` was stopped, between these two instants. */
  disturbed(from: number, to: number, by?: number): void {
    this.outages.push({ from, to: to + AFTERMATH_US, by });
  }

  /** Milliseconds, shortest first. */
  get ms(): number[] {
    return this.all.map(({ from, to }) => (to - from) / 1000).sort((a, b) => a - b);
  }

  /**
   * The longest acknowledgement during which Redis answered and the invalidating process ran. Other processes may have
   * been stopped, killed or cut off from the bus; that may delay an acknowledgement by their lease at most.
   */
  get longestUndisturbedMs(): number {
    let longest = 0;
    for (const { by, from, to } of this.all) {
      const took = (to - from) / 1000;
      if (took <= longest) continue;
      const isDisturbed = this.outages.some(
        (outage) => (outage.by === undefined || outage.by === by) && outage.from <= to && outage.to >= from,
      );
      if (!isDisturbed) longest = took;
    }
    return longest;
  }
}
