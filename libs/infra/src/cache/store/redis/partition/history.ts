import { randomBytes } from 'node:crypto';

/** A point in one history of a partition: `born` names the history, `clock` and `tip` its last invalidation. */
export interface Moment {
  readonly born: number;
  readonly clock: number;
  readonly tip: string;
}

/** Arguments of scripts for a process that remembers nothing. */
const NOTHING = ['-1', '', ''] as const;

/** A moment with the few tips before it. */
export interface Shown extends Moment {
  readonly recent: string;
}

/**
 * `yes` and `no` are certain; `unproven`: later than the known moment, but perhaps of another branch of the history.
 */
export type Verdict = 'yes' | 'no' | 'unproven';

/**
 * The newest moment of a partition's history that this process knows. It shows when the store goes back: a replica
 * promoted without the last invalidations, an older snapshot, a swapped database. An answer must not be believed unless
 * it contains the moment known at its request. The tip decides, because a clock that went back may have caught up
 * (model `histories.pml`).
 */
export class History {
  private newest: Moment | undefined;

  /** Take it before a request to the store, and pass it to `judge` with the answer. */
  get moment(): Moment | undefined {
    return this.newest;
  }

  /** Arguments of scripts: clock, tip, born. */
  get known(): readonly (string | number)[] {
    return this.newest ? [this.newest.clock, this.newest.tip, this.newest.born] : NOTHING;
  }

  /** Whether the answer contains the moment known at its request. Learns from the answer. */
  judge(shown: Shown, asked: Moment | undefined): Verdict {
    const { newest } = this;
    if (!newest || !asked) return 'no'; // no request precedes the first look at the history
    if (shown.tip === asked.tip) return 'yes'; // the usual case
    // The history has changed since the request: accept only the one that has been looked at since.
    if (shown.born !== asked.born) return shown.born === newest.born ? 'yes' : 'no';
    if (shown.clock <= asked.clock) return 'no';
    if (shown.tip === newest.tip) return 'yes';
    if (!shown.recent.includes(asked.tip)) return 'unproven';
    if (shown.recent.includes(newest.tip)) this.newest = shown;
    return 'yes';
  }

  /**
   * Learns a moment from the bus. False if nothing shows that it follows the known one: the caller must then look at
   * the store.
   */
  hear(told: Moment & { readonly previousTip: string }): boolean {
    const { newest } = this;
    if (!newest) return true; // the first look precedes any request
    if (told.previousTip === newest.tip) this.newest = told;
    else return told.born === newest.born && told.clock <= newest.clock; // true if a reply was faster than the bus
    return true;
  }

  /** Records the moment that a script has created, or confirmed as no earlier than the known one. */
  settle(moment: Moment): void {
    const isBehind = this.newest?.born === moment.born && this.newest.clock > moment.clock; // a message was faster
    if (!isBehind) this.newest = moment;
  }
}

/** Names an invalidation by 64 random bits, so that no two histories of a partition can be confused. */
export function nonce(): string {
  return randomBytes(8).toString('hex');
}

/** Names a history of a partition by 48 random bits. A number, because every entry carries it in six bytes. */
export function historyName(): number {
  return randomBytes(6).readUIntBE(0, 6);
}
