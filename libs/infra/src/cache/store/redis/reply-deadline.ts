import { Deadlines } from '../../../redis/deadlines.js';
import { FULL_TRUST } from '../../../redis/trust.js';
import { StoreUnavailableError } from '../../cache.errors.js';

/** No reply came in time. One that comes later changes nothing any more. */
export class OverdueReplyError extends StoreUnavailableError {
  constructor(ms: number) {
    super(`Redis did not answer within ${ms} ms`);
    this.name = 'OverdueReplyError';
  }
}

/** Who hears how it went. */
export interface ReplyListener {
  /** A reply has come in time. Called for each, so it must cost nothing. */
  onReply(): void;
  onOverdue(error: OverdueReplyError): void;
}

type GiveUp = (error: OverdueReplyError) => void;

/** Waits for replies, for each of them the same time. */
export class ReplyDeadline {
  private readonly deadlines: Deadlines<GiveUp>;

  constructor(
    ms: number,
    private readonly listener: ReplyListener,
  ) {
    this.deadlines = new Deadlines(ms, (giveUp) => this.giveUp(giveUp));
  }

  /**
   * What `use` makes of the reply; rejects with its error, told by `asError`, or with `OverdueReplyError`: then `use` is not
   * called any more; nor is it when the server is not trusted any more. One promise for all of it, because a hit waits for it.
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

  /** No reply is to be expected any more: whoever waits for one is let go. */
  giveUpAll(): void {
    for (const giveUp of this.deadlines.takeAll()) giveUp(new OverdueReplyError(this.deadlines.ms));
  }

  private giveUp(giveUp: GiveUp): void {
    const error = new OverdueReplyError(this.deadlines.ms);
    giveUp(error);
    this.listener.onOverdue(error);
  }
}
