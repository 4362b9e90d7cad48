import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { FULL_TRUST, type Trust } from '../../../../redis/trust.js';

/** A point in one history of a partition: `born` names the history, `clock` and `tip` its last invalidation then. */
export interface Moment {
  readonly born: number;
  readonly clock: number;
  readonly tip: string;
}

/** The arguments of scripts, clock, tip and born, when this process remembers no moment. */
const NOTHING = ['-1', '', ''] as const;

/** A moment; `recent` holds the tips of the (at most three) invalidations before its own, in one text. */
export interface Shown extends Moment {
  readonly recent: string;
}

/**
 * Whether an answer contains the moment known at its request. `unproven`: the answer is later, but perhaps of another
 * branch of the history.
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
    if (!newest || !asked) return 'no'; // the history was not looked at before the request, so nothing vouches for the answer
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
   * Learns a moment from the bus if it directly follows the known one; an older one of this history is no news. False
   * if a message before it is missing, or if it is of another history: the caller must then look at the store.
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

/**
 * The gate of a partition: `clock` counts its invalidations, `tip` names the last one. Entries of any history but
 * `born`, and entries whose fetch began before `readFloor`, are dead; entries from before `unsweptFloor` must be
 * examined (0: nothing is unswept).
 */
export interface Gate extends Moment {
  readonly readFloor: number;
  readonly unsweptFloor: number;
  /** The tips of the (at most three) invalidations before the last one, in one text. */
  readonly recent: string;
}

/**
 * Parses the gate's text `"<clk> <rf> <uf> <tip> <born> <recent>"`; undefined if it is damaged or spoilt, so that a new
 * history must begin.
 */
export function parseGate(text: string): Gate | undefined {
  const [, clock, readFloor, unsweptFloor, tip, born, recent] =
    /^(\d+) (\d+) (\d+) (\S+) (\d+) (\S+)$/.exec(text) ?? [];
  if (!recent) return undefined;
  return {
    clock: Number(clock),
    readFloor: Number(readFloor),
    unsweptFloor: Number(unsweptFloor),
    tip: tip as string,
    born: Number(born),
    recent,
  };
}

/** One slice of the key space: all its Redis keys share the hash tag, hence the slot. */
export class Partition {
  readonly gateKey: string;
  readonly wakeChannel: string;
  readonly busChannel: string;
  readonly dropChannel: string;
  /** The history of the partition, as far as this process has seen it. */
  readonly history = new History();
  /** Whether answers of the server that holds it may be believed. */
  trust: Trust = FULL_TRUST;
  /** Why it must be looked at (`adopt`) before reads and other scripts are sent to it; undefined if it need not be. */
  doubt: string | undefined;
  /**
   * Set while invalidations are owed to it. Then nothing it holds may be believed, although scripts that inform it may
   * be sent.
   */
  owing: { readonly reason: string | undefined } | undefined;
  private lastGateBytes: Buffer | undefined;
  private lastGate: Gate | undefined;

  constructor(
    readonly tag: string,
    readonly index: number,
  ) {
    this.gateKey = `${tag}:g`;
    this.wakeChannel = `${tag}:wk`;
    this.busChannel = `${tag}:bus`;
    this.dropChannel = `${tag}:dr`;
  }

  /** Why no request whose answer a caller believes may be sent; undefined if one may. */
  get reason(): string | undefined {
    return this.doubt ?? this.owing?.reason;
  }

  entryKey(key: string): string {
    return `${this.tag}:e:${key}`;
  }

  /** The gate of these bytes; parsed only when they differ from the last ones, which on a hit they rarely do. */
  gateOf(bytes: Buffer): Gate | undefined {
    if (!this.lastGate || !this.lastGateBytes || !bytes.equals(this.lastGateBytes)) {
      this.lastGate = parseGate(bytes.toString('latin1'));
      this.lastGateBytes = bytes;
    }
    return this.lastGate;
  }
}

/**
 * Version of the keys and their contents in Redis; part of every tag. Raise it with any change that processes of an
 * earlier release would misread: processes with different layouts share nothing, and refuse to run beside each other.
 */
export const LAYOUT = 2;

/**
 * The partitions of an application. Layout and number are part of every tag: processes that differ in them share
 * nothing.
 */
export class Partitions {
  readonly all: readonly Partition[];

  constructor(appName: string, count: number) {
    this.all = Array.from({ length: count }, (_, p) => new Partition(`{${appName}.v${LAYOUT}.P${count}:${p}}`, p));
  }

  of(key: string): Partition {
    const index = this.all.length === 1 ? 0 : crc32(key) % this.all.length;
    return this.all[index] as Partition;
  }
}
