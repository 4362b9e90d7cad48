import type { Fact, SeenFact } from './facts.js';

/** An older version than what had to be shown. Times by `performance.now()`. */
export interface StaleRead {
  readonly reader: string;
  readonly fact: Fact;
  readonly version: number;
  readonly required: number;
  /** How long before the read began the required version was acknowledged. */
  readonly ageMs: number;
}

interface Write {
  readonly version: number;
  readonly at: number;
}

/** A version that is higher than all: what shows the record at all is out of date. */
export const DELETED = Infinity;
const WRITES_KEPT = 64;
const STALE_KEPT = 20;

/**
 * Decides while the run goes on: with the stream undisturbed, no read that begins `boundMs` after Salesforce acknowledged a
 * write returns an older version. What was written during a disturbance counts from its end.
 */
export class Freshness {
  readonly stale: StaleRead[] = [];
  staleCount = 0;
  judgedReads = 0;
  /** Reads that showed something written within the second before: they could have been wrong. */
  exposedReads = 0;
  private readonly writes = new Map<Fact, Write[]>();
  private calmSince = Infinity;

  constructor(readonly boundMs: number) {}

  /** From now on nothing is promised. */
  disturbed(): void {
    this.calmSince = Infinity;
  }

  /** Everything works again since then. */
  calm(at: number): void {
    this.calmSince = at;
  }

  get isCalm(): boolean {
    return this.calmSince !== Infinity;
  }

  /** Salesforce has acknowledged the write. Versions of a fact are acknowledged in their order. */
  acknowledged(fact: Fact, version: number, at: number): void {
    const writes = this.writes.get(fact) ?? [];
    writes.push({ version, at });
    if (writes.length > WRITES_KEPT) writes.shift();
    this.writes.set(fact, writes);
  }

  /** What it shows from now on is not known: it came back from the recycle bin, or a write to it may have been carried out. */
  forget(fact: Fact): void {
    this.writes.delete(fact);
  }

  /** Judges what a read that began at `startedAt` returned, if that is still a time of calm. */
  judge(reader: string, seen: readonly SeenFact[], startedAt: number): void {
    const before = startedAt - this.boundMs;
    if (before < this.calmSince) return;
    this.judgedReads += 1;
    let isExposed = false;
    for (const { fact, version } of seen) {
      const writes = this.writes.get(fact) ?? [];
      isExposed ||= (writes.at(-1)?.at ?? -Infinity) > startedAt - this.boundMs - 1_000;
      const required = writes.filter(({ at }) => at <= before).at(-1);
      if (required === undefined || version >= required.version) continue;
      this.staleCount += 1;
      const ageMs = Math.round(startedAt - required.at);
      if (this.stale.length < STALE_KEPT) this.stale.push({ reader, fact, version, required: required.version, ageMs });
    }
    if (isExposed) this.exposedReads += 1;
  }
}
