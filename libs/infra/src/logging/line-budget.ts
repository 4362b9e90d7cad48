import type { Caller } from '../callers/caller.js';

/** Lines of one kind that one caller causes in a window before further ones are counted only. */
export const LINES_MAX = 20;
/** The length of a window. */
export const WINDOW_MS = 60_000;
/** Maximum number of pairs of kind and caller that are counted at the same time: some 3 MB. */
export const COUNTS_MAX = 10_000;
/** Maximum number of reasons that one count tells apart. */
const REASONS_MAX = 8;

/** The lines of one kind that one caller would have caused in a window, beyond those that were written. */
export interface LeftOut {
  readonly kind: string;
  /** Undefined: nobody who is known, or one of more callers than are counted. */
  readonly caller: Caller | undefined;
  readonly count: number;
  /** How many of them had which reason; what has one of too many reasons counts as `other`. */
  readonly reasons: Readonly<Record<string, number>>;
  /** When the first and the last of them would have been written, as RFC 3339. */
  readonly from: string;
  readonly to: string;
}

interface Count {
  readonly kind: string;
  readonly caller: Caller | undefined;
  written: number;
  readonly reasons: Map<string, number>;
  from: number;
  to: number;
}

/**
 * Bounds how many lines each caller can write into the log: `LINES_MAX` of each kind in a window. All callers who are
 * not known share one bound. What is left out is counted, and the count is reported when the window ends, or at
 * `close`; a process that is killed loses the counts of its last window.
 */
export class LineBudget {
  private readonly counts = new Map<string, Count>();
  private timer: NodeJS.Timeout | undefined;

  /** `report` is called once for each kind and caller of which something was left out in a window. */
  constructor(private readonly report: (leftOut: LeftOut) => void) {}

  /** Begins the windows. Call it outside of any request, because the reports run where this was called. */
  start(): void {
    this.timer ??= setInterval(() => this.flush(), WINDOW_MS).unref();
  }

  /** Reports what is not reported yet, and ends the windows. */
  close(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    this.flush();
  }

  /** Whether one more line of this kind may be written; if not, it counts as left out, for this reason. */
  takes(kind: string, caller: Caller | undefined, reason?: string): boolean {
    const count = this.countOf(kind, caller);
    if (count.written < LINES_MAX) {
      count.written += 1;
      return true;
    }
    count.to = Date.now();
    count.from ||= count.to;
    const known = reason === undefined || count.reasons.has(reason) || count.reasons.size < REASONS_MAX;
    const counted = known ? (reason ?? '') : 'other';
    count.reasons.set(counted, (count.reasons.get(counted) ?? 0) + 1);
    return false;
  }

  private countOf(kind: string, caller: Caller | undefined): Count {
    const key = caller && `${kind}\0${caller.subject}`;
    if (key !== undefined && !this.counts.has(key) && this.counts.size >= COUNTS_MAX)
      return this.countOf(kind, undefined);
    const known = this.counts.get(key ?? kind);
    if (known) return known;
    const count: Count = { kind, caller, written: 0, reasons: new Map(), from: 0, to: 0 };
    this.counts.set(key ?? kind, count);
    return count;
  }

  private flush(): void {
    const ended = [...this.counts.values()];
    this.counts.clear();
    for (const { kind, caller, reasons, from, to } of ended) {
      if (reasons.size === 0) continue;
      const count = [...reasons.values()].reduce((sum, each) => sum + each, 0);
      reasons.delete('');
      const span = { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
      this.report({ kind, caller, count, reasons: Object.fromEntries(reasons), ...span });
    }
  }
}
