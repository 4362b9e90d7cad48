interface Interval {
  readonly from: number;
  readonly to: number;
  /** The process that stood still; undefined: Redis. */
  readonly by: number | undefined;
}

/** Reconnecting, and what had to wait for it, is part of an outage. */
const AFTERMATH_US = 700_000;

/** How long acknowledgements took, and how long where nothing but another process' fate could hold them up. */
export class AcknowledgementTimes {
  private readonly all: { readonly by: number; readonly from: number; readonly to: number }[] = [];
  private readonly outages: Interval[] = [];

  add(by: number, from: number, to: number): void {
    this.all.push({ by, from, to });
  }

  /** Redis did not answer, or this process stood still, from one instant to the other. */
  disturbed(from: number, to: number, by?: number): void {
    this.outages.push({ from, to: to + AFTERMATH_US, by });
  }

  /** Milliseconds, shortest first. */
  get ms(): number[] {
    return this.all.map(({ from, to }) => (to - from) / 1000).sort((a, b) => a - b);
  }

  /**
   * The longest of those during which Redis answered and their own process ran: others may have been stopped or killed, or
   * cut off from the bus, and that may take no longer than their lease.
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
