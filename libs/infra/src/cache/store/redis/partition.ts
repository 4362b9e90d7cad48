import { crc32 } from 'node:zlib';
import { History, type Moment } from './history.js';

/**
 * The gate of a partition: `clock` counts its invalidations, `tip` names the last one; entries whose fetch began before
 * `readFloor` are dead, those from before `unsweptFloor` have to be looked at (0: nothing is unswept), and so are those of any
 * other history than `born`.
 */
export interface Gate extends Moment {
  readonly readFloor: number;
  readonly unsweptFloor: number;
  /** The tips before, a few, in one text. */
  readonly recent: string;
}

/** Reads the gate's text `"<clk> <rf> <uf> <tip> <born> <recent>"`; undefined if it is damaged or spoilt: then a new history begins. */
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

/** A gate has some forty bytes: that is less work than a call of `Buffer.equals`, and every hit asks. */
function isSame(bytes: Buffer, last: Buffer | undefined): boolean {
  if (last?.length !== bytes.length) return false;
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== last[i]) return false;
  return true;
}

/** One slice of the key space: all its Redis keys share the hash tag, hence the slot. */
export class Partition {
  readonly gateKey: string;
  readonly wakeChannel: string;
  readonly busChannel: string;
  readonly dropChannel: string;
  /** What this process has seen of its history. */
  readonly history = new History();
  /** Why nothing of this partition may be asked or told just now; undefined if it may be. */
  doubt: string | undefined;
  /** Why nothing of it may be believed, although it may be told something. */
  owing: () => string | undefined = () => undefined;
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

  /** Why nothing that a caller would believe may be asked; undefined if it may be. */
  get reason(): string | undefined {
    return this.doubt ?? this.owing();
  }

  entryKey(key: string): string {
    return `${this.tag}:e:${key}`;
  }

  /** The gate of these bytes; parsed only when they differ from the last ones, which on a hit they rarely do. */
  gateOf(bytes: Buffer): Gate | undefined {
    if (!this.lastGate || !isSame(bytes, this.lastGateBytes)) {
      this.lastGate = parseGate(bytes.toString('latin1'));
      this.lastGateBytes = bytes;
    }
    return this.lastGate;
  }
}

/**
 * How keys are laid out in Redis, and what they hold: the number in every tag. Whoever changes it in a way that another build
 * would read wrongly raises it; builds of different layouts share nothing, and refuse to run beside each other.
 */
export const LAYOUT = 2;

/** The partitions of an application. Layout and number are part of every tag: processes that differ in them share nothing. */
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
