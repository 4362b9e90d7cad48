/**
 * What a failed call says of its source: that it works, as it has answered; nothing, because the failure is the
 * request's own; or that it does not work, under a code of ours. A code, because the source's words may be anybody's.
 */
export type FailureVerdict = 'answered' | 'unsaid' | { readonly code: string };

/** How the calls of this process to a source went. Times are in ms since 1970. */
export interface CallRecord {
  readonly lastSuccessAt?: number;
  readonly lastFailure?: { readonly at: number; readonly code: string };
  /**
   * Present while the source counts as failing: its newest `count` calls have all failed, the first of them at `since`.
   */
  readonly failing?: { readonly since: number; readonly count: number };
}

/** Fewer failures in a row are chance: a connection that was cut, a request that took too long. */
const FAILURES_MIN = 3;
/** How long ago the first of them must be, so that one moment in which many calls fail together does not count. */
const FAILING_MS = 5_000;

/**
 * Remembers how the newest calls to a source went, from the calls that are made anyway. It asks nobody, so where nobody
 * calls, it stays as it is. Its size is fixed.
 */
export class SourceCalls {
  private succeededAt: number | undefined;
  private newestFailure: { readonly at: number; readonly code: string } | undefined;
  private inRow: { readonly since: number; readonly count: number } | undefined;

  /** `verdictOn` judges the error of a call. `now` is a clock that only goes forward. */
  constructor(
    private readonly verdictOn: (error: unknown) => FailureVerdict,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Makes a call, and settles as it does. */
  async watch<T>(call: () => Promise<T>): Promise<T> {
    const beganAt = this.now();
    try {
      const answer = await call();
      this.succeeded();
      return answer;
    } catch (error) {
      this.failed(error, beganAt);
      throw error;
    }
  }

  /** Notes a call that failed, or that was refused for the sake of the source. */
  failed(error: unknown, beganAt: number = this.now()): void {
    const verdict = this.verdictOn(error);
    if (verdict === 'unsaid') return;
    if (verdict === 'answered') return this.succeeded();
    const at = this.now();
    this.newestFailure = { at, code: verdict.code };
    // One that began before the newest success may be what is left of an earlier outage.
    if (this.succeededAt !== undefined && beganAt < this.succeededAt) return;
    this.inRow = { since: this.inRow?.since ?? at, count: (this.inRow?.count ?? 0) + 1 };
  }

  get record(): CallRecord {
    const now = this.now();
    const toTime = (at: number): number => Math.round(Date.now() - (now - at));
    const { succeededAt, newestFailure, inRow } = this;
    const isFailing = inRow !== undefined && inRow.count >= FAILURES_MIN && now - inRow.since >= FAILING_MS;
    return {
      ...(succeededAt !== undefined && { lastSuccessAt: toTime(succeededAt) }),
      ...(newestFailure && { lastFailure: { ...newestFailure, at: toTime(newestFailure.at) } }),
      ...(isFailing && { failing: { ...inRow, since: toTime(inRow.since) } }),
    };
  }

  private succeeded(): void {
    this.succeededAt = this.now();
    this.inRow = undefined;
  }
}
