import { crc32 } from 'node:zlib';
import { FULL_TRUST, type Trust } from '../../../../redis/trust.js';
import { History, type Moment } from './history.js';

/**
 * The gate of a partition: `clock` counts its invalidations, `tip` names the last one. Entries of any history but
 * `born`, and entries whose fetch began before `readFloor`, are dead; entries from before `unsweptFloor` must be
 * examined (0: nothing is unswept).
 */
export interface Gate extends Moment {
  readonly readFloor: number;
  readonly unsweptFloor: number;
  /** The few tips before, in one text. */
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

/** A gate has some forty bytes: this loop, which runs at every hit, costs less than a call of `Buffer.equals`. */
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
  /** The history of the partition, as far as this process has seen it. */
  readonly history = new History();
  /** Whether answers of the server that holds it may be believed. */
  trust: Trust = FULL_TRUST;
  /** Why no command may be sent to this partition now; undefined if one may. */
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
    if (!this.lastGate || !isSame(bytes, this.lastGateBytes)) {
      this.lastGate = parseGate(bytes.toString('latin1'));
      this.lastGateBytes = bytes;
    }
    return this.lastGate;
  }
}

/**
 * Version of the keys and their contents in Redis; part of every tag. Raise it with any change that another build would
 * misread: builds of different layouts share nothing, and refuse to run beside each other.
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
