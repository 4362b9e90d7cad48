/**
 * The org's allocation of event deliveries, shared by both transports; a delivery to each subscriber counts (Change
 * Data Capture guide, "Allocations"). Salesforce counts the last 24 hours; here the count begins with the sandbox and
 * only grows.
 */
export class EventAllocation {
  /** While true, deliveries are refused whatever the count. */
  isDeclaredExceeded = false;
  private delivered = 0;

  /** @param max number of deliveries after which the org refuses more */
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
