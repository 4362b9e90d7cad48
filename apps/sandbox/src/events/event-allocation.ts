/**
 * The org's allocation of event deliveries, shared by both transports; a delivery to each subscriber counts (Change
 * Data Capture guide, "Allocations"). The count begins at the start, instead of covering 24 hours.
 */
export class EventAllocation {
  /** While true, deliveries are refused whatever the count. */
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
