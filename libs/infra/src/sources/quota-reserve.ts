import { QuotaReservedError } from './sources.errors.js';
import type { SpendLedger } from './spend-ledger.js';
import type { RequestKind } from '../process/fair-queue.js';

/** What a source says of its quota: requests used, and allowed. */
export interface QuotaUsage {
  readonly used: number;
  readonly limit: number;
}

/** What a request is for: a `check` is a read that a write needs, such as that of the prices of an order. */
export type QuotaUse = RequestKind | 'check';

/** A request that may be sent. Exactly one of the two is to be called. */
export interface QuotaPass {
  /** It is being sent, and counts. */
  readonly sent: () => void;
  /** It is not sent after all, and costs nothing. */
  readonly giveBack: () => void;
}

/** The reserve of a quota as this process sees it. */
export interface QuotaReserveState extends QuotaUsage {
  /** Once no more than this many requests are left, reads of those who spend most are refused. */
  readonly reserve: number;
  /** Requests that this process has refused since its start. */
  readonly refused: number;
}

/** Accounts with fewer requests today count as light: shares of the heaviest account below this say nothing. */
const LIGHT_MAX = 100;
/** Part of the reserve below which the process' own reads are refused, too. */
const OWN_PART = 0.5;
/** Part of what is left of the reserve that one account's writes may have used of it. */
const WRITE_PART = 0.1;
/** So many requests for writes an account may always send: a tenth of little would be no order. */
const WRITES_MIN = 4;
/**
 * The age of the source's newest word on its usage at which one read may pass as a probe. Without it, a process that
 * refuses all reads would never learn that the quota has recovered.
 */
const PROBE_MS = 60_000;

/**
 * Keeps the last part of a source's quota for writes, and for those who have asked for little. With `left` requests of
 * a reserve of `reserve`:
 *
 * - An account's read is refused once its requests of today reach `left / reserve` of those of the heaviest account (or
 *   of 100, if that is more): first the heaviest account's, in the end everybody's.
 * - Its writes, and those checks that would be refused as reads, are its writes in the reserve. They are refused once
 *   they are a tenth of `left` today, and 4 at least. So one account can use up an eleventh of the reserve with them,
 *   ten can use up a half, and each other one can still write.
 * - Reads of the process itself are refused in the second half of the reserve, its writes never.
 *
 * One request a minute passes all the same while no answer tells the usage (`PROBE_MS`).
 */
export class QuotaReserve {
  private known: QuotaUsage | undefined;
  private knownAt = -Infinity;
  private refused = 0;
  /** Writes in the reserve that wait for their turn, by account: those under way at most. */
  private readonly writesWaiting = new Map<string, number>();

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

  /** Throws `QuotaReservedError` if this request must not be sent now. */
  check(account: string | undefined, use: QuotaUse): QuotaPass {
    const usage = this.newest();
    const free = this.passOf(account);
    if (usage === undefined) return free;
    const reserve = this.reserveOf(usage);
    const left = Math.max(0, usage.limit - usage.used);
    const part = left / reserve;
    if (!(part < 1) || (use !== 'write' && this.mayRead(account, part))) return free;
    if (use !== 'read' && account === undefined) return free;
    if (use !== 'read' && account !== undefined && this.mayWrite(account, left)) return this.passOfWrite(account);
    const giveBack = this.takeProbe();
    if (giveBack) return { ...free, giveBack };
    this.refused += 1;
    throw new QuotaReservedError(
      `${usage.used} of the ${usage.limit} requests of the day are used, and the last ${reserve} are kept for writes ` +
        `and for those who have asked for little${use === 'read' ? '' : '; this account has had its share for writes'}`,
    );
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

  private mayWrite(account: string, left: number): boolean {
    const written = this.ledger.spentBy(writesOf(account)) + (this.writesWaiting.get(account) ?? 0);
    return written < Math.max(left * WRITE_PART, WRITES_MIN);
  }

  /** Requests of the process itself are not counted. */
  private passOf(account: string | undefined): QuotaPass {
    return { sent: () => account !== undefined && this.ledger.charge(account), giveBack: () => undefined };
  }

  /** Counts as sent from now on, so that requests that come together cannot be more than may. */
  private passOfWrite(account: string): QuotaPass {
    this.writesWaiting.set(account, (this.writesWaiting.get(account) ?? 0) + 1);
    const giveBack = (): void => {
      const others = (this.writesWaiting.get(account) ?? 0) - 1;
      if (others > 0) this.writesWaiting.set(account, others);
      else this.writesWaiting.delete(account);
    };
    const sent = (): void => {
      giveBack();
      this.ledger.charge(account);
      this.ledger.charge(writesOf(account));
    };
    return { sent, giveBack };
  }

  /** What gives the probe back, if this request may pass to bring the source's newest word: one a minute. */
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

/** The name under which the ledger counts what an account's writes have used of the reserve. */
function writesOf(account: string): string {
  return `writes:${account}`;
}
