import type { ChangeLine } from './history-lines.js';
import { factName, keys } from '../source/universe.js';
import type { Violation } from './violation.js';

export type Commit = Extract<ChangeLine, { kind: 'committed' }> & { readonly by: number };

/**
 * Maximum number of accepted commits of a key that are remembered and compared with each other. A violation that spans
 * more commits is not found.
 */
const REMEMBERED_MAX = 16;
/** Maximum number of pairs of commits that are kept to be judged when the whole history is known. */
const SUSPECTS_MAX = 10_000;
/** Longest TTL whose end is remembered: longer ones do not end within a run, or too rarely to matter. */
const ENDS_WITHIN_MS = 60_000;
const ENDS_MAX = 4096;

interface Interval {
  readonly from: number;
  to: number;
}

/**
 * G4: per key, a superseded builder does not overwrite its successor. If the lease of X was granted before the lease of
 * Y was requested, and the store accepted Y, the store accepts X later only if Y's entry was gone in between:
 * invalidated, expired, or emptied away.
 */
export class CommitOrder {
  private readonly accepted = new Map<number, Commit[]>();
  private readonly suspects: { readonly older: Commit; readonly newer: Commit }[] = [];
  private readonly changes = new Map<number, Interval[]>();
  private readonly running = new Map<string, Interval>();
  private readonly emptied: Interval[] = [];
  /**
   * Per key, when accepted values with a TTL end. When such a value has ended, the values that it replaced are gone
   * too.
   */
  private readonly ends = new Map<number, { readonly repliedAt: number; readonly endsAt: number }[]>();

  begun(change: string, at: number, facts: readonly number[]): void {
    // A redelivered change begins again, but an earlier attempt may have been applied: the first beginning counts.
    if (this.running.has(change)) return;
    const interval = { from: at, to: Infinity };
    this.running.set(change, interval);
    for (const fact of facts) {
      const all = this.changes.get(fact);
      if (all) all.push(interval);
      else this.changes.set(fact, [interval]);
    }
  }

  acknowledged(change: string, at: number): void {
    const interval = this.running.get(change);
    if (interval) interval.to = at;
    this.running.delete(change);
  }

  /** The store lost its entries at some time in this interval. */
  storeEmptied(from: number, to: number): void {
    this.emptied.push({ from, to });
  }

  committed(commit: Commit): void {
    if (commit.reply !== 'ok') return;
    this.noteEnd(commit);
    const all = this.accepted.get(commit.key) ?? [];
    for (const other of all) {
      for (const [older, newer] of [
        [commit, other],
        [other, commit],
      ] as const) {
        const isSuperseded = older.grantedAt < newer.askedAt && newer.repliedAt < older.sentAt;
        if (isSuperseded && this.suspects.length < SUSPECTS_MAX) this.suspects.push({ older, newer });
      }
    }
    all.push(commit);
    if (all.length > REMEMBERED_MAX) all.shift();
    this.accepted.set(commit.key, all);
  }

  /** Number of pairs of commits that need an event in between as their explanation. */
  get suspectCount(): number {
    return this.suspects.length;
  }

  /** Pairs that no event explains. Call this when every file was read to its end. */
  violations(): Violation[] {
    return this.suspects
      .filter(({ older, newer }) => !this.mayBeGone(newer, older.repliedAt))
      .map(({ older, newer }) => ({
        check: 'G4',
        key: older.key,
        from: older.askedAt,
        to: older.repliedAt,
        text:
          `build ${older.build} of ${keys[older.key]?.text} overwrote ${newer.build}, whose lease was granted later and which ` +
          `stood since ${newer.repliedAt} µs (${newer.facts.map(factName).join(', ')})`,
      }));
  }

  private noteEnd({ key, ttlMs, grantedAt, repliedAt }: Commit): void {
    if (ttlMs === 0 || ttlMs > ENDS_WITHIN_MS) return;
    const all = this.ends.get(key) ?? [];
    all.push({ repliedAt, endsAt: grantedAt + ttlMs * 1000 });
    if (all.length > ENDS_MAX) all.shift();
    this.ends.set(key, all);
  }

  private mayBeGone(commit: Commit, before: number): boolean {
    const meets = ({ from, to }: Interval) => from <= before && to >= commit.sentAt;
    if (commit.ttlMs > 0 && commit.grantedAt + commit.ttlMs * 1000 < before) return true;
    if (this.emptied.some(meets)) return true;
    const hasEnded = this.ends.get(commit.key)?.some((one) => one.repliedAt >= commit.sentAt && one.endsAt < before);
    if (hasEnded) return true;
    return commit.facts.some((fact) => this.changes.get(fact)?.some(meets));
  }
}
