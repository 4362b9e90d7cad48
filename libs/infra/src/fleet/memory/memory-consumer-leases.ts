import { ConsumerLeases, type ConsumerHolder, type ConsumerTerm } from '../consumer-leases.js';

interface Lease {
  readonly term: ConsumerTerm;
  endsAt: number;
}

/** Terms of a single process, and how far it has followed each feed. */
export class MemoryConsumerLeases extends ConsumerLeases {
  private readonly leases = new Map<string, Lease>();
  private readonly fences = new Map<string, number>();
  private readonly followedUntil = new Map<string, number>();

  /** @param clock milliseconds that never go back */
  constructor(private readonly clock: () => number = () => performance.now()) {
    super();
  }

  async acquire(consumer: string, holder: string, leaseMs: number): Promise<ConsumerTerm | undefined> {
    const present = this.present(consumer);
    if (present !== undefined && present.term.holder !== holder) return undefined;
    const fence = (this.fences.get(consumer) ?? 0) + 1;
    this.fences.set(consumer, fence);
    const term = { consumer, holder, fence };
    this.leases.set(consumer, { term, endsAt: this.clock() + leaseMs });
    return term;
  }

  async renew(term: ConsumerTerm, leaseMs: number, feedAges: ReadonlyMap<string, number>): Promise<boolean> {
    if (!this.isCurrent(term)) return false;
    const now = this.clock();
    this.leases.set(term.consumer, { term, endsAt: now + leaseMs });
    for (const [feed, ageMs] of feedAges) this.followedUntil.set(feed, now - ageMs);
    return true;
  }

  async release(term: ConsumerTerm): Promise<void> {
    if (this.isCurrent(term)) this.leases.delete(term.consumer);
  }

  async holder(consumer: string): Promise<ConsumerHolder | undefined> {
    const present = this.present(consumer);
    return present && { holder: present.term.holder, expiresInMs: present.endsAt - this.clock() };
  }

  async feedAges(): Promise<ReadonlyMap<string, number>> {
    const now = this.clock();
    return new Map([...this.followedUntil].map(([feed, at]) => [feed, now - at]));
  }

  /** Whether the term is not over. */
  isCurrent({ consumer, fence }: ConsumerTerm): boolean {
    return this.present(consumer)?.term.fence === fence;
  }

  private present(consumer: string): Lease | undefined {
    const lease = this.leases.get(consumer);
    return lease && lease.endsAt > this.clock() ? lease : undefined;
  }
}
