import type { RunClock } from '../history/clock.js';
import type { RunEvent } from '../history/timeline.js';
import type { Verifier } from '../history/verifier.js';
import type { Fault, FaultKind } from './fault-schedule.js';

/** How long after the return of other data somebody may still find out, and drop what the store holds. */
const ADOPTION_US = 2_000_000;
/** How long processes may take until they are as before, when several servers are whole again. */
export const RECOVERY_US = 5_000_000;

/** What was done to a run, for those who judge it and for those who read about it. */
export class FaultScene {
  readonly events: RunEvent[] = [];
  readonly counts = new Map<FaultKind, number>();

  constructor(
    private readonly clock: RunClock,
    private readonly verifier: Verifier,
  ) {}

  /** It begins now. */
  note({ kind }: Fault, text: string): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    this.tell(text);
  }

  /** Something that belongs to a fault of before. */
  tell(text: string): void {
    this.events.push({ at: this.clock.now(), text });
  }

  /** Nothing can be acknowledged while this runs: by anybody, or by this process. */
  async disturbing(work: () => Promise<unknown>, by?: number, aftermathUs = 0): Promise<void> {
    const from = this.clock.now();
    await work();
    this.verifier.times.disturbed(from, this.clock.now() + aftermathUs, by);
  }

  /** And entries may vanish for no reason that the history tells. */
  async emptying(fault: Fault, text: string, work: () => Promise<unknown>, aftermathUs = 0): Promise<void> {
    const from = this.clock.now();
    this.note(fault, text);
    await this.disturbing(work, undefined, aftermathUs);
    this.verifier.order.storeEmptied(from, this.clock.now() + ADOPTION_US);
  }
}
