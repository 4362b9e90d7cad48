import { Logger } from '@nestjs/common';
import { IdempotencyUnavailableError } from './idempotency.errors.js';
import type { IdempotencyClaim, IdempotencyRecords } from './idempotency-records.js';

/** Maximum claims that wait for their release. Each takes less than 1 KB. */
const CLAIMS_MAX = 1_000;
const PAUSE_MS = 250;
const PAUSE_MS_MAX = 5_000;

/**
 * Ends claims whose work was not done. While the store does not answer, a release is repeated in the background until it
 * is acknowledged, its record has ended by itself, or this is closed; beyond 1,000 such claims a release is tried once.
 */
export class RepeatedReleases {
  private readonly logger = new Logger(RepeatedReleases.name);
  /** By holder, the oldest first. */
  private readonly waiting = new Map<string, { readonly claim: IdempotencyClaim; readonly until: number }>();
  private pauseMs = PAUSE_MS;
  private timer: NodeJS.Timeout | undefined;
  private sweeping: Promise<void> | undefined;
  private isClosed = false;

  /** @param recordLifeMs how long a record without a release lives at most */
  constructor(
    private readonly records: IdempotencyRecords,
    private readonly recordLifeMs: number,
  ) {}

  /** Resolves after the first try, and never rejects. */
  async release(claim: IdempotencyClaim): Promise<void> {
    const failure = await this.tried(claim);
    if (failure === undefined) return;
    const isRepeated = !this.isClosed && this.waiting.size < CLAIMS_MAX;
    const outlook = isRepeated ? 'this is repeated until it is' : 'it stays taken for up to 24 h';
    this.logger.warn(`an idempotency key is not released, and ${outlook}: ${failure.message}`);
    if (!isRepeated) return;
    this.waiting.set(claim.holder, { claim, until: performance.now() + this.recordLifeMs });
    this.schedule();
  }

  /** Tries once more the releases of this key that wait, so that its next request does not find it taken. Never rejects. */
  async releaseAgain(key: string): Promise<void> {
    for (const [holder, { claim }] of this.waiting) {
      if (claim.key === key && !(await this.tried(claim))) this.waiting.delete(holder);
    }
  }

  /** Tries once more what waits; what is not released then ends by itself. Never rejects. */
  async close(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.timer);
    await this.sweeping;
    await this.sweep();
    if (this.waiting.size > 0) this.logger.warn(`${this.waiting.size} idempotency keys stay taken for up to 24 h`);
  }

  private schedule(): void {
    if (this.timer || this.isClosed || this.waiting.size === 0) return;
    this.timer = setTimeout(() => {
      this.sweeping = this.sweep().then(() => {
        this.timer = undefined;
        this.schedule();
      });
    }, this.pauseMs).unref();
  }

  /** One after another, up to the first that the store does not answer. */
  private async sweep(): Promise<void> {
    for (const [holder, { claim, until }] of this.waiting) {
      if (performance.now() < until && (await this.tried(claim))) {
        this.pauseMs = Math.min(PAUSE_MS_MAX, this.pauseMs * 2);
        return;
      }
      this.waiting.delete(holder);
    }
    this.pauseMs = PAUSE_MS;
  }

  /** The failure that may pass; undefined if the claim is released, or cannot be. */
  private async tried(claim: IdempotencyClaim): Promise<IdempotencyUnavailableError | undefined> {
    try {
      await this.records.release(claim);
    } catch (error) {
      if (error instanceof IdempotencyUnavailableError) return error;
      this.logger.error({ err: error }, 'an idempotency key cannot be released');
    }
    return undefined;
  }
}
