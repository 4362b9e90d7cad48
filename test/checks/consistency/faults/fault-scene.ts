import type { RunClock } from '../history/clock.js';
import type { RunEvent } from '../history/timeline.js';
import type { Verifier } from '../history/verifier.js';
import type { Fault, FaultKind } from './fault-schedule.js';

/**
 * How long after Redis has come back with other data a process may still notice that, and drop what the store holds.
 */
const ADOPTION_US = 2_000_000;
/** How long processes may take to recover after several servers are whole again. */
export const RECOVERY_US = 5_000_000;

/** Records the faults of a run, for the judgement and for the report. */
export class FaultScene {
  readonly events: RunEvent[] = [];
  readonly counts = new Map<FaultKind, number>();

  constructor(
    private readonly clock: RunClock,
    private readonly verifier: Verifier,
  ) {}

  /** Records a fault that begins now. */
  note({ kind }: Fault, text: string): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    this.tell(text);
  }

  /** Records a later event of an earlier fault. */
  tell(text: string): void {
    this.events.push({ at: this.clock.now(), text });
  }

  /**
   * While `work` runs, and for `aftermathUs` after it, acknowledgements may be late: those of every process, or of
   * process `by` alone.
   */
  async disturbing(work: () => Promise<unknown>, by?: number, aftermathUs = 0): Promise<void> {
    const from = this.clock.now();
    await work();
    this.verifier.times.disturbed(from, this.clock.now() + aftermathUs, by);
  }

  /**
   * Records a fault and runs it like `disturbing`, but entries may also vanish for reasons that the history does not
   * contain.
   */
  async emptying(fault: Fault, text: string, work: () => Promise<unknown>, aftermathUs = 0): Promise<void> {
    const from = this.clock.now();
    this.note(fault, text);
    await this.disturbing(work, undefined, aftermathUs);
    this.verifier.order.storeEmptied(from, this.clock.now() + ADOPTION_US);
  }
}
