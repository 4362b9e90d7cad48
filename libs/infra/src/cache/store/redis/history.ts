/** A point in one history of a partition: `born` names the history, `clock` and `tip` its last invalidation. */
export interface Moment {
  readonly born: number;
  readonly clock: number;
  readonly tip: string;
}

/** As scripts are told of a process that remembers nothing. */
const NOTHING = ['-1', '', ''] as const;

/** A moment with the tips of the few before it. */
export interface Shown extends Moment {
  readonly recent: string;
}

/** `yes` and `no` are certain; `unproven`: it is later than what is known, and may be of another branch of the history. */
export type Verdict = 'yes' | 'no' | 'unproven';

/**
 * The newest moment of a partition's history that is known in this process, so that it notices when the store goes back: a replica
 * that was promoted without the last invalidations, an older snapshot, a swapped database. Nothing that does not contain what
 * was known when it was asked for may be believed. What counts is the tip: a clock that went back may have caught up
 * (model `histories.pml`).
 */
export class History {
  private newest: Moment | undefined;

  /** Take it before something is asked of the store, and hand it to `judge` with what the answer shows. */
  get moment(): Moment | undefined {
    return this.newest;
  }

  /** What scripts are told: clock, tip, born. */
  get known(): readonly (string | number)[] {
    return this.newest ? [this.newest.clock, this.newest.tip, this.newest.born] : NOTHING;
  }

  /** Whether what an answer shows contains what was known when it was asked for. Learns from it. */
  judge(shown: Shown, asked: Moment | undefined): Verdict {
    const { newest } = this;
    if (!newest || !asked) return 'no'; // nobody asks before the history was looked at
    if (shown.tip === asked.tip) return 'yes'; // nearly always
    // Another history than when it was asked: only the one that has been looked at since.
    if (shown.born !== asked.born) return shown.born === newest.born ? 'yes' : 'no';
    if (shown.clock <= asked.clock) return 'no';
    if (shown.tip === newest.tip) return 'yes';
    if (!shown.recent.includes(asked.tip)) return 'unproven';
    if (shown.recent.includes(newest.tip)) this.newest = shown;
    return 'yes';
  }

  /** The bus has told a moment. False if nothing shows that it follows what is known: then that has to be looked at. */
  hear(told: Moment & { readonly previousTip: string }): boolean {
    const { newest } = this;
    if (!newest) return true; // it will be looked at before anything is asked
    if (told.previousTip === newest.tip) this.newest = told;
    else return told.born === newest.born && told.clock <= newest.clock; // a reply was faster than the bus
    return true;
  }

  /** A script has found this moment to be what is known, or to follow it, or has begun it. */
  settle(moment: Moment): void {
    const isBehind = this.newest?.born === moment.born && this.newest.clock > moment.clock; // by a message meanwhile
    if (!isBehind) this.newest = moment;
  }
}
