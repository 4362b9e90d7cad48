import { Deadlines } from '../../../../redis/deadlines.js';
import { FULL_TRUST } from '../../../../redis/trust.js';
import { StoreUnavailableError } from '../../../cache.errors.js';

/** No reply came in time. A later reply is ignored. */
export class OverdueReplyError extends StoreUnavailableError {
  constructor(ms: number) {
    super(`Redis did not answer within ${ms} ms`);
    this.name = 'OverdueReplyError';
  }
}

/** Learns the outcome of each wait. */
export interface ReplyListener {
  /** A reply has come in time. Called for every such reply, so it must cost nothing. */
  onReply(): void;
  onOverdue(error: OverdueReplyError): void;
}

type GiveUp = (error: OverdueReplyError) => void;

/** Waits the same time for each reply. */
export class ReplyDeadline {
  private readonly deadlines: Deadlines<GiveUp>;

  constructor(
    ms: number,
    private readonly listener: ReplyListener,
  ) {
    this.deadlines = new Deadlines(ms, (giveUp) => this.giveUp(giveUp));
  }

  /**
   * Resolves with the result of `use` on the reply. Rejects with the command's error as `asError` translates it, or
   * with `OverdueReplyError`. `use` is not called for an overdue reply, nor if the server is no longer trusted. One
   * promise covers all of it, because a hit waits for it.
   */
  within<T, R>(
    reply: Promise<T>,
    use: (reply: T) => R | Promise<R>,
    asError: (error: unknown) => Error,
    trust = FULL_TRUST,
  ): Promise<R> {
    const asked = trust.at;
    return new Promise((resolve, reject) => {
      const deadline = this.deadlines.add(reject);
      reply.then(
        (value) => {
          if (!this.deadlines.settle(deadline)) return;
          this.listener.onReply();
          try {
            if (!trust.holdsFor(asked)) throw new StoreUnavailableError(trust.reason);
            resolve(use(value));
          } catch (error) {
            const reason = error as Error;
            reject(reason);
          }
        },
        (error: unknown) => {
          this.deadlines.settle(deadline);
          reject(asError(error));
        },
      );
    });
  }

  /** No reply will come: rejects every wait. */
  giveUpAll(): void {
    for (const giveUp of this.deadlines.takeAll()) giveUp(new OverdueReplyError(this.deadlines.ms));
  }

  private giveUp(giveUp: GiveUp): void {
    const error = new OverdueReplyError(this.deadlines.ms);
    giveUp(error);
    this.listener.onOverdue(error);
  }
}
