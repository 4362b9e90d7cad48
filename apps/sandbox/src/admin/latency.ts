import { setTimeout as delay } from 'node:timers/promises';

/** The parts of the sandbox that can be slow or refuse. */
export const TARGETS = ['rest', 'oauth', 'cometd', 'pubsub', 'whmcs'] as const;
export type Target = (typeof TARGETS)[number];

/** The parts whose time is that of a query, so that a cache hit and a miss can be told apart by eye. */
const SLOW_AT_START: readonly Target[] = ['rest', 'whmcs'];

/** How long each part of the sandbox takes for a call. */
export class Latency {
  private readonly ms = new Map<Target, number>();

  /** @param queryMs of queries, record calls and billing calls; the other parts answer at once */
  constructor(private readonly queryMs: number) {
    this.reset();
  }

  /** The times that are not what they were at the start; undefined if all are. */
  get changed(): Readonly<Record<string, number>> | undefined {
    const changed = TARGETS.filter((target) => this.of(target) !== this.initial(target));
    return changed.length === 0 ? undefined : Object.fromEntries(changed.map((target) => [target, this.of(target)]));
  }

  of(target: Target): number {
    return this.ms.get(target) ?? 0;
  }

  /** Sets one part's time, or that of queries, record and billing calls. */
  set(ms: number, target?: Target): void {
    for (const each of target === undefined ? SLOW_AT_START : [target]) this.ms.set(each, ms);
  }

  reset(): void {
    for (const target of TARGETS) this.ms.set(target, this.initial(target));
  }

  /** Half of it: waited once before the work and once after, so that an answer can be older than its arrival. */
  async half(target: Target): Promise<void> {
    const ms = this.of(target);
    if (ms > 0) await delay(ms / 2, undefined, { ref: false });
  }

  async whole(target: Target): Promise<void> {
    const ms = this.of(target);
    if (ms > 0) await delay(ms, undefined, { ref: false });
  }

  private initial(target: Target): number {
    return SLOW_AT_START.includes(target) ? this.queryMs : 0;
  }
}
