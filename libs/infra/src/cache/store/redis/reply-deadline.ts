import { Deadlines } from '../../../redis/deadlines.js';
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

/** Emptied when it is settled: V8 keeps what a map has outgrown for a while, and this refers to the reply. */
interface Pending {
  giveUp: ((error: OverdueReplyError) => void) | undefined;
}

/** Waits for replies, for each of them the same time. */
export class ReplyDeadline {
  private readonly deadlines: Deadlines<Pending>;

  constructor(
    ms: number,
    private readonly listener: ReplyListener,
  ) {
    this.deadlines = new Deadlines(ms, (pending) => this.giveUp(pending));
  }

  /** Settles as the reply does, its error told by `asError`, or rejects with `OverdueReplyError`. One promise: a hit waits for it. */
  within<T>(reply: Promise<T>, asError: (error: unknown) => Error): Promise<T> {
    return new Promise((resolve, reject) => {
      const pending: Pending = { giveUp: reject };
      this.deadlines.add(pending);
      reply.then(
        (value) => {
          if (this.deadlines.settle(pending)) this.listener.onReply();
          pending.giveUp = undefined;
          resolve(value);
        },
        (error: unknown) => {
          this.deadlines.settle(pending);
          pending.giveUp = undefined;
          reject(asError(error));
        },
      );
    });
  }

  /** No reply is to be expected any more: whoever waits for one is let go. */
  giveUpAll(): void {
    for (const { giveUp } of this.deadlines.takeAll()) giveUp?.(new OverdueReplyError(this.deadlines.ms));
  }

  private giveUp({ giveUp }: Pending): void {
    const error = new OverdueReplyError(this.deadlines.ms);
    giveUp?.(error);
    this.listener.onOverdue(error);
  }
}
