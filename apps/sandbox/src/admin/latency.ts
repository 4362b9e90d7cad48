import { setTimeout as delay } from 'node:timers/promises';

/** The parts of the sandbox that can be slow or refuse. */
export const TARGETS = ['rest', 'oauth', 'cometd', 'pubsub', 'whmcs'] as const;
export type Target = (typeof TARGETS)[number];

/** The parts that are slow from the start (`queryMs`), so that people can tell a cache hit from a miss. */
const SLOW_AT_START: readonly Target[] = ['rest', 'whmcs'];

/** The time that each part of the sandbox takes for a call. */
export class Latency {
  private readonly ms = new Map<Target, number>();

  /** @param queryMs time of a call to `rest` or `whmcs`; the other parts answer at once until `set` slows them */
  constructor(private readonly queryMs: number) {
    this.reset();
  }

  /** The times that differ from those at the start, by part; undefined if all are as at the start. */
  get changed(): Readonly<Record<string, number>> | undefined {
    const changed = TARGETS.filter((target) => this.of(target) !== this.initial(target));
    return changed.length === 0 ? undefined : Object.fromEntries(changed.map((target) => [target, this.of(target)]));
  }

  of(target: Target): number {
    return this.ms.get(target) ?? 0;
  }

  /** Sets the time of one part, or without `target` of `rest` and `whmcs`. */
  set(ms: number, target?: Target): void {
    for (const each of target === undefined ? SLOW_AT_START : [target]) this.ms.set(each, ms);
  }

  reset(): void {
    for (const target of TARGETS) this.ms.set(target, this.initial(target));
  }

  /**
   * Waits half the part's time. A caller waits once before its work and once after it, so an answer can be older than
   * its arrival.
   */
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
