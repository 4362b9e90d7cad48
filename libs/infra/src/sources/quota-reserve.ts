import { QuotaReservedError } from './sources.errors.js';
import type { SpendLedger } from './spend-ledger.js';
import type { RequestKind } from '../process/fair-queue.js';

/** What a source says of its quota: requests used, and allowed. */
export interface QuotaUsage {
  readonly used: number;
  readonly limit: number;
}

/** The reserve of a quota as this process sees it. */
export interface QuotaReserveState extends QuotaUsage {
  /** Once no more than this many requests are left, reads of those who spend most are refused. */
  readonly reserve: number;
  /** Reads that this process has refused since its start. */
  readonly refused: number;
}

/** Accounts with fewer requests today count as light: shares of the heaviest account below this say nothing. */
const LIGHT_MAX = 100;
/** Part of the reserve below which the process' own reads are refused, too. */
const OWN_PART = 0.5;
/**
 * The age of the source's newest word on its usage at which one read may pass as a probe. Without it, a process that
 * refuses all reads would never learn that the quota has recovered.
 */
const PROBE_MS = 60_000;

/**
 * Keeps the last part of a source's quota for writes, and for those who have asked for little. With `left` requests of
 * a reserve of `reserve`, an account's read is refused once its requests of today reach `left / reserve` of those of
 * the heaviest account (or of 100, if that is more): first the heaviest account's, in the end everybody's. Reads of the
 * process itself are refused in the second half of the reserve. Writes are never refused, nor is one read a minute
 * while no answer tells the usage (`PROBE_MS`).
 */
export class QuotaReserve {
  private known: QuotaUsage | undefined;
  private knownAt = -Infinity;
  private refused = 0;

  /**
   * `usage` returns the source's newest word, a new object for each; undefined before the first, when nothing is
   * refused. `percent` is the part of the limit that is reserved; 0 refuses nothing.
   */
  constructor(
    private readonly ledger: SpendLedger,
    private readonly percent: number,
    private readonly usage: () => QuotaUsage | undefined,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /**
   * Throws `QuotaReservedError` if this request must not be sent now. A returned function is to be called if the request
   * is not sent after all: it passed as a probe, and another one may then.
   */
  check(account: string | undefined, kind: RequestKind): (() => void) | undefined {
    const usage = this.newest();
    if (usage === undefined || kind === 'write') return undefined;
    const reserve = this.reserveOf(usage);
    const part = Math.max(0, usage.limit - usage.used) / reserve;
    if (!(part < 1) || this.mayRead(account, part)) return undefined;
    const giveBack = this.takeProbe();
    if (giveBack) return giveBack;
    this.refused += 1;
    throw new QuotaReservedError(
      `${usage.used} of the ${usage.limit} requests of the day are used, and the last ${reserve} are kept for writes ` +
        `and for those who have asked for little`,
    );
  }

  /** Counts a request that is being sent, unless it is one of the process itself. */
  charge(account: string | undefined): void {
    if (account !== undefined) this.ledger.charge(account);
  }

  /** Undefined before the source's first word. */
  get state(): QuotaReserveState | undefined {
    const usage = this.newest();
    return usage && { ...usage, reserve: this.reserveOf(usage), refused: this.refused };
  }

  private mayRead(account: string | undefined, part: number): boolean {
    if (account === undefined) return part >= OWN_PART;
    return this.ledger.spentBy(account) < part * Math.max(this.ledger.heaviest(), LIGHT_MAX);
  }

  /** What gives the probe back, if this read may pass to bring the source's newest word: one a minute. */
  private takeProbe(): (() => void) | undefined {
    const { known, knownAt } = this;
    const now = this.now();
    if (now - knownAt < PROBE_MS) return undefined;
    this.knownAt = now;
    return () => {
      if (this.known === known && this.knownAt === now) this.knownAt = knownAt;
    };
  }

  private newest(): QuotaUsage | undefined {
    const usage = this.usage();
    if (usage !== this.known) {
      this.known = usage;
      this.knownAt = this.now();
    }
    return usage;
  }

  private reserveOf({ limit }: QuotaUsage): number {
    return Math.ceil((limit * this.percent) / 100);
  }
}
