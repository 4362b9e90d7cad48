import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { Encryption } from '../cache/encryption.js';
import {
  IdempotencyKeyInUseError,
  IdempotencyKeyReusedError,
  IdempotencyUnavailableError,
} from './idempotency.errors.js';
import type { Beginning, Hold, IdempotencyClaim, IdempotencyRecords } from './idempotency-records.js';
import { RepeatedReleases } from './repeated-releases.js';

/** How long an answer is remembered: what the published API promises. */
export const ANSWER_LIFE_MS = 24 * 3_600_000;

/** The times of the claims. */
export interface IdempotencyTimes {
  /**
   * A claim ends this long after the last sign of life of its process. @default 15,000: a process that died blocks its
   * key no longer, and one that is paused for less keeps it
   */
  readonly leaseMs?: number;
  /** How long a request waits for another one with its key. @default 5,000: most orders take less */
  readonly waitMs?: number;
}

/** The result of one attempt. */
export interface Attempt<T> {
  readonly answer: T;
  /** Whether every later request with the key gets this answer, too; otherwise the key is free again. */
  readonly isLasting: boolean;
}

/** The claim as the work sees it. */
export interface HeldClaim {
  /** The store does not answer: nobody else is kept from the same work, and nothing will be remembered. */
  readonly isStoreAway: boolean;
  /**
   * An earlier attempt with this key may have done the work: it was confirmed with `canRepeat`, and has neither answered
   * nor failed since. True while the store is away. It does not know what the store has forgotten.
   */
  readonly mayBeDone: boolean;
  /**
   * Call it just before the step that cannot be undone. Resolves if the claim is still held or, with `canRepeat`, if
   * the store does not answer. Without `canRepeat` no other request does the work again unless this one gives an
   * answer. Rejects with `IdempotencyKeyInUseError` if the claim is lost, and with `IdempotencyUnavailableError` if
   * that is not known and the work must not be repeated.
   */
  confirm(step: { readonly canRepeat: boolean }): Promise<void>;
  /**
   * After `confirm`: the work ends without an answer, and nobody knows whether it is done. The next attempt
   * learns that it may be (`mayBeDone`); after `confirm` without `canRepeat` there is none.
   */
  abandon(): Promise<void>;
}

/** The work that runs under a key. */
export interface WorkOnce<T> {
  /**
   * Does the work. After a rejection the key is free again, unless the claim was abandoned after `confirm` without
   * `canRepeat`; if the store does not answer then, as soon as it does.
   */
  readonly attempt: (claim: HeldClaim) => Promise<Attempt<T>>;
  /** The answer if the work of an earlier request may have been done, and cannot be repeated to find out. */
  readonly onAbandoned: () => T;
}

type Found = Extract<Beginning, { readonly kind: 'begun' | 'abandoned' | 'answered' }>;

const POLL_MS = 50;
const POLL_MS_MAX = 400;
/** What `Retry-After` says at most: a request that is under way mostly ends sooner than its lease. */
const RETRY_AFTER_SECONDS_MAX = 5;

/**
 * Work that is done once for a key, in whichever process it is asked for. Once an attempt has given a lasting answer,
 * all requests with the same key and fingerprint get it for 24 hours. Answers are kept encrypted, bound to their key.
 */
export class IdempotentWork {
  private readonly logger = new Logger(IdempotentWork.name);
  private readonly leaseMs: number;
  private readonly waitMs: number;
  private readonly releases: RepeatedReleases;

  constructor(
    private readonly records: IdempotencyRecords,
    private readonly encryption: Encryption,
    { leaseMs = 15_000, waitMs = 5_000 }: IdempotencyTimes = {},
  ) {
    this.leaseMs = leaseMs;
    this.waitMs = waitMs;
    this.releases = new RepeatedReleases(records, ANSWER_LIFE_MS);
  }

  /** Releases once more the keys that the store has not released yet, and ends repeating that. Never rejects. */
  close(): Promise<void> {
    return this.releases.close();
  }

  /**
   * The remembered answer of an earlier request with this key, else the answer of this attempt; that of `onAbandoned`
   * if an earlier attempt was abandoned, or its answer cannot be read. Rejects as `attempt` does, with
   * `IdempotencyKeyReusedError` for another fingerprint, and with `IdempotencyKeyInUseError` if another request is
   * under way for longer than `waitMs`. While the store is away the work is done all the same; its claim says so.
   */
  async once<T>(key: string, fingerprint: string, work: WorkOnce<T>): Promise<T> {
    const claim: IdempotencyClaim = { key, fingerprint, holder: randomUUID() };
    await this.releases.releaseAgain(key);
    let found: Found;
    try {
      found = await this.begin(claim);
    } catch (error) {
      if (!(error instanceof IdempotencyUnavailableError)) throw error;
      return (await work.attempt(withoutStore(error))).answer;
    }
    if (found.kind === 'begun') return this.attempt(claim, found.mayBeDone, work);
    const answer = found.kind === 'abandoned' ? undefined : this.decoded<T>(found.answer, key);
    return answer === undefined ? work.onAbandoned() : answer.value;
  }

  /** Waits up to `waitMs` for a request that is under way. */
  private async begin(claim: IdempotencyClaim): Promise<Found> {
    const deadline = performance.now() + this.waitMs;
    for (let pauseMs = POLL_MS; ; pauseMs = Math.min(POLL_MS_MAX, pauseMs * 1.5)) {
      const beginning = await this.records.begin(claim, this.leaseMs);
      switch (beginning.kind) {
        case 'begun':
        case 'abandoned':
        case 'answered':
          return beginning;
        case 'mismatch':
          throw new IdempotencyKeyReusedError();
        case 'running':
          if (performance.now() >= deadline) {
            const seconds = Math.ceil(beginning.leftMs / 1_000);
            throw new IdempotencyKeyInUseError(Math.max(1, Math.min(RETRY_AFTER_SECONDS_MAX, seconds)));
          }
          await delay(pauseMs);
      }
    }
  }

  private async attempt<T>(claim: IdempotencyClaim, mayBeDone: boolean, work: WorkOnce<T>): Promise<T> {
    const held = new Held(this.records, this.releases, claim, { mayBeDone, leaseMs: this.leaseMs }, this.logger);
    try {
      const { answer, isLasting } = await work.attempt(held);
      if (isLasting) await this.remember(claim, answer);
      else await held.release();
      return answer;
    } catch (error) {
      await held.release();
      throw error;
    } finally {
      held.end();
    }
  }

  private async remember(claim: IdempotencyClaim, answer: unknown): Promise<void> {
    const envelope = this.encryption.encrypt(Buffer.from(JSON.stringify({ value: answer })), claim.key);
    const reply = this.records.answer(claim, envelope.toString('base64'), ANSWER_LIFE_MS);
    await afterWork(reply, 'the answer of an idempotency key is not remembered', this.logger);
  }

  /** Undefined if the answer was encrypted with a key that is not known any more. */
  private decoded<T>(text: string, key: string): { readonly value: T } | undefined {
    const plain = this.encryption.decrypt(Buffer.from(text, 'base64'), key);
    return plain && (JSON.parse(plain.toString()) as { readonly value: T });
  }
}

/** A claim that is prolonged until it is ended. */
class Held implements HeldClaim {
  readonly isStoreAway = false;
  readonly mayBeDone: boolean;
  private readonly leaseMs: number;
  private readonly timer: NodeJS.Timeout;
  /** What the last `confirm` has said. */
  private step: Pick<Hold, 'unrepeatableMs' | 'mayBeDoneMs'> = {};
  private isAbandoned = false;

  constructor(
    private readonly records: IdempotencyRecords,
    private readonly releases: RepeatedReleases,
    private readonly claim: IdempotencyClaim,
    { mayBeDone, leaseMs }: { readonly mayBeDone: boolean; readonly leaseMs: number },
    private readonly logger: Logger,
  ) {
    this.mayBeDone = mayBeDone;
    this.leaseMs = leaseMs;
    this.timer = setInterval(() => void this.hold({ leaseMs }), leaseMs / 3).unref();
  }

  async confirm({ canRepeat }: { readonly canRepeat: boolean }): Promise<void> {
    const { leaseMs } = this;
    this.step = canRepeat ? { mayBeDoneMs: ANSWER_LIFE_MS } : { unrepeatableMs: ANSWER_LIFE_MS };
    try {
      if (!(await this.records.hold(this.claim, { leaseMs, ...this.step }))) throw new IdempotencyKeyInUseError(1);
    } catch (error) {
      if (!canRepeat || !(error instanceof IdempotencyUnavailableError)) throw error;
    }
  }

  async abandon(): Promise<void> {
    this.isAbandoned = true;
    await this.hold({ leaseMs: 0, ...this.step });
  }

  async release(): Promise<void> {
    if (!this.isAbandoned) await this.releases.release(this.claim);
  }

  end(): void {
    clearInterval(this.timer);
  }

  private async hold(hold: Hold): Promise<void> {
    await afterWork(this.records.hold(this.claim, hold), 'a claim of an idempotency key is not prolonged', this.logger);
  }
}

function withoutStore(error: IdempotencyUnavailableError): HeldClaim {
  return {
    isStoreAway: true,
    mayBeDone: true,
    confirm: ({ canRepeat }) => (canRepeat ? Promise.resolve() : Promise.reject(error)),
    abandon: () => Promise.resolve(),
  };
}

/**
 * Waits for a reply of the store that must not change the result of the work, and never rejects. Without the reply the
 * claim ends by itself.
 */
async function afterWork(reply: Promise<unknown>, what: string, logger: Logger): Promise<void> {
  try {
    await reply;
  } catch (error) {
    if (error instanceof IdempotencyUnavailableError) logger.warn(`${what}: ${error.message}`);
    else logger.error({ err: error }, what);
  }
}
