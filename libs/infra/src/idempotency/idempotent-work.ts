import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { Encryption } from '../cache/encryption.js';
import {
  IdempotencyKeyInUseError,
  IdempotencyKeyReusedError,
  IdempotencyUnavailableError,
} from './idempotency.errors.js';
import type { Hold, IdempotencyClaim, IdempotencyRecords } from './idempotency-records.js';
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
   * Call it just before the step that cannot be undone. Resolves if the claim is still held or, with `canRepeat`, if
   * the store does not answer. Without `canRepeat` no other request does the work again unless this one gives an
   * answer. Rejects with `IdempotencyKeyInUseError` if the claim is lost, and with `IdempotencyUnavailableError` if
   * that is not known and the work must not be repeated.
   */
  confirm(step: { readonly canRepeat: boolean }): Promise<void>;
  /** After `confirm` without `canRepeat`: the work ends without an answer, and nobody may do it again. */
  abandon(): Promise<void>;
}

/** The work that runs under a key. */
export interface WorkOnce<T> {
  /**
   * Does the work. After a rejection the key is free again, unless the claim was abandoned; if the store does not answer
   * then, as soon as it does.
   */
  readonly attempt: (claim: HeldClaim) => Promise<Attempt<T>>;
  /** The answer if the work of an earlier request may have been done, and cannot be repeated to find out. */
  readonly onAbandoned: () => T;
}

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
    let found: 'begun' | { readonly text: string } | 'abandoned';
    try {
      found = await this.begin(claim);
    } catch (error) {
      if (!(error instanceof IdempotencyUnavailableError)) throw error;
      return (await work.attempt(withoutStore(error))).answer;
    }
    if (found === 'begun') return this.attempt(claim, work);
    const answer = found === 'abandoned' ? undefined : this.decoded<T>(found.text, key);
    return answer === undefined ? work.onAbandoned() : answer.value;
  }

  /** Waits up to `waitMs` for a request that is under way. */
  private async begin(claim: IdempotencyClaim): Promise<'begun' | { readonly text: string } | 'abandoned'> {
    const deadline = performance.now() + this.waitMs;
    for (let pauseMs = POLL_MS; ; pauseMs = Math.min(POLL_MS_MAX, pauseMs * 1.5)) {
      const beginning = await this.records.begin(claim, this.leaseMs);
      switch (beginning.kind) {
        case 'begun':
        case 'abandoned':
          return beginning.kind;
        case 'answered':
          return { text: beginning.answer };
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

  private async attempt<T>(claim: IdempotencyClaim, work: WorkOnce<T>): Promise<T> {
    const held = new Held(this.records, this.releases, claim, this.leaseMs, this.logger);
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
  private readonly timer: NodeJS.Timeout;
  private isAbandoned = false;

  constructor(
    private readonly records: IdempotencyRecords,
    private readonly releases: RepeatedReleases,
    private readonly claim: IdempotencyClaim,
    private readonly leaseMs: number,
    private readonly logger: Logger,
  ) {
    this.timer = setInterval(() => void this.hold({ leaseMs }), leaseMs / 3).unref();
  }

  async confirm({ canRepeat }: { readonly canRepeat: boolean }): Promise<void> {
    const { leaseMs } = this;
    try {
      const step = canRepeat ? { leaseMs } : { leaseMs, unrepeatableMs: ANSWER_LIFE_MS };
      if (!(await this.records.hold(this.claim, step))) throw new IdempotencyKeyInUseError(1);
    } catch (error) {
      if (!canRepeat || !(error instanceof IdempotencyUnavailableError)) throw error;
    }
  }

  async abandon(): Promise<void> {
    this.isAbandoned = true;
    await this.hold({ leaseMs: 0, unrepeatableMs: ANSWER_LIFE_MS });
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
