import type { Fact, SeenFact } from './facts.js';

/** A read that returned an older version than required. Times by `performance.now()`. */
export interface StaleRead {
  readonly reader: string;
  readonly fact: Fact;
  readonly version: number;
  readonly required: number;
  /** Time from the acknowledgement of the required version to the beginning of the read. */
  readonly ageMs: number;
}

interface Write {
  readonly version: number;
  readonly at: number;
}

/** Higher than every version: any page that shows the deleted record is out of date. */
export const DELETED = Infinity;
const WRITES_KEPT = 64;
const STALE_KEPT = 20;

/**
 * Judges reads during the run: while the stream is undisturbed, no read that begins `boundMs` after Salesforce
 * acknowledged a write returns an older version. A write during a disturbance counts from the end of the disturbance.
 */
export class Freshness {
  readonly stale: StaleRead[] = [];
  staleCount = 0;
  judgedReads = 0;
  /**
   * Number of judged reads that showed a record whose last change was acknowledged less than `boundMs` and a second
   * before the read: they could have been wrong.
   */
  exposedReads = 0;
  private readonly writes = new Map<Fact, Write[]>();
  private calmSince = Infinity;

  constructor(readonly boundMs: number) {}

  /** From now on no read is judged. */
  disturbed(): void {
    this.calmSince = Infinity;
  }

  /** Says that everything has worked again since this time. */
  calm(at: number): void {
    this.calmSince = at;
  }

  get isCalm(): boolean {
    return this.calmSince !== Infinity;
  }

  /** Says that Salesforce has acknowledged the write. Versions of a fact must be acknowledged in order. */
  acknowledged(fact: Fact, version: number, at: number): void {
    const writes = this.writes.get(fact) ?? [];
    writes.push({ version, at });
    if (writes.length > WRITES_KEPT) writes.shift();
    this.writes.set(fact, writes);
  }

  /**
   * Says that the record's version is unknown from now on: it came back from the recycle bin, or an unconfirmed write
   * may have changed it.
   */
  forget(fact: Fact): void {
    this.writes.delete(fact);
  }

  /** Judges the result of a read that began at `startedAt`, if the calm began at least `boundMs` before. */
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
