/**
 * The org's allocation of delivered events, shared by both transports and counted for each subscriber (Change Data Capture
 * guide, "Allocations"). Counted from the start, not over 24 hours.
 */
export class EventAllocation {
  /** While set, deliveries are refused whatever was used. */
  isDeclaredExceeded = false;
  private delivered = 0;

  /** @param max deliveries before the org refuses more */
  constructor(readonly max: number) {}

  get used(): number {
    return this.delivered;
  }

  get isExceeded(): boolean {
    return this.isDeclaredExceeded || this.delivered >= this.max;
  }

  count(deliveries: number): void {
    this.delivered += deliveries;
  }
}
