import { accountOf, currentCaller, type Caller } from '../callers/caller.js';
import { FairQueue, type FairQueueLimits, type RequestKind } from '../process/fair-queue.js';
import type { QuotaReserve } from './quota-reserve.js';
import type { SourceCalls } from './source-calls.js';

/**
 * Asked before each request of a source, before the request waits for its turn. It rejects to refuse the request; the
 * error passes unchanged. The caller is undefined for the work of the process itself.
 */
export type Admission = (caller: Caller | undefined, kind: RequestKind) => Promise<void>;

/** What a request needs to know of itself; its account is that of the current caller. */
export interface GateRequest {
  /** A read counts as a write within `runAsWrite`, except that the reserve of the quota knows it as a check. */
  readonly kind: RequestKind;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The way to a source: each request is checked against the reserve of the quota, is admitted, waits for the turn of its
 * account, and is then counted and sent. An account is the caller's, or the user while the account is not known. How
 * requests end that were sent, or that the reserve refused, is noted in `calls`.
 */
export class SourceGate {
  private readonly queue: FairQueue;

  constructor(
    limits: FairQueueLimits,
    private readonly admit?: Admission,
    private readonly reserve?: QuotaReserve,
    private readonly calls?: SourceCalls,
  ) {
    this.queue = new FairQueue(limits);
  }

  /**
   * Runs `send` once it may be sent, and settles as it does. Without having run it, rejects with `QueueFullError`,
   * `QueueAbortedError`, `QuotaReservedError`, or as `admit` does.
   */
  async pass<T>({ kind: given, signal }: GateRequest, send: () => Promise<T>): Promise<T> {
    const caller = currentCaller();
    const account = accountOf(caller);
    const isForWrite = caller?.isWriting === true;
    const kind = isForWrite ? 'write' : given;
    const quota = this.checkReserve(account, isForWrite && given === 'read' ? 'check' : given);
    let isSent = false;
    try {
      await this.admit?.(caller, kind);
      return await this.queue.run({ account, kind, signal }, () => {
        isSent = true;
        quota?.sent();
        return this.calls ? this.calls.watch(send) : send();
      });
    } finally {
      if (!isSent) quota?.giveBack();
    }
  }

  private checkReserve(...request: Parameters<QuotaReserve['check']>): ReturnType<QuotaReserve['check']> | undefined {
    try {
      return this.reserve?.check(...request);
    } catch (error) {
      this.calls?.failed(error);
      throw error;
    }
  }
}
