import { crc32 } from 'node:zlib';

/**
 * The gate of a partition: `clock` counts its invalidations, `tip` names the last one; entries whose fetch began before
 * `readFloor` are dead, those from before `unsweptFloor` have to be looked at (0: nothing is unswept).
 */
export interface Gate {
  readonly clock: number;
  readonly readFloor: number;
  readonly unsweptFloor: number;
  readonly tip: string;
}

/** Reads the gate's text `"<clk> <rf> <uf> <tip>"`; undefined if it is damaged: the next script makes a new one. */
export function parseGate(text: string): Gate | undefined {
  const [, clock, readFloor, unsweptFloor, tip] = /^(\d+) (\d+) (\d+) (\S+)$/.exec(text) ?? [];
  if (!tip) return undefined;
  return { clock: Number(clock), readFloor: Number(readFloor), unsweptFloor: Number(unsweptFloor), tip };
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

/** The partitions of an application. Their number is part of every tag: processes that differ in it share nothing. */
export class Partitions {
  readonly all: readonly Partition[];

  constructor(appName: string, count: number) {
    this.all = Array.from({ length: count }, (_, p) => new Partition(`{${appName}.P${count}:${p}}`, p));
  }

  of(key: string): Partition {
    const index = this.all.length === 1 ? 0 : crc32(key) % this.all.length;
    return this.all[index] as Partition;
  }
}
