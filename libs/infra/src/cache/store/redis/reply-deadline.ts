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

interface Pending {
  readonly giveUpAt: number;
  /** Emptied when it is settled: V8 keeps what a set has outgrown for a while, and this refers to the reply. */
  giveUp: ((error: OverdueReplyError) => void) | undefined;
}

/** Waits for replies, for each of them the same time, with one timer for all. */
export class ReplyDeadline {
  /** In the order of their deadlines, because all have the same time. */
  private readonly pending = new Set<Pending>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    readonly ms: number,
    private readonly listener: ReplyListener,
  ) {}

  /** Settles as the reply does, its error told by `asError`, or rejects with `OverdueReplyError`. One promise: a hit waits for it. */
  within<T>(reply: Promise<T>, asError: (error: unknown) => Error): Promise<T> {
    return new Promise((resolve, reject) => {
      const pending: Pending = { giveUpAt: performance.now() + this.ms, giveUp: reject };
      this.pending.add(pending);
      this.timer ??= this.lookIn(this.ms);
      reply.then(
        (value) => {
          if (this.pending.delete(pending)) this.listener.onReply();
          pending.giveUp = undefined;
          resolve(value);
        },
        (error: unknown) => {
          this.pending.delete(pending);
          pending.giveUp = undefined;
          reject(asError(error));
        },
      );
    });
  }

  /** No reply is to be expected any more: whoever waits for one is let go. */
  giveUpAll(): void {
    const given = [...this.pending];
    this.pending.clear();
    for (const { giveUp } of given) giveUp?.(new OverdueReplyError(this.ms));
  }

  /**
   * Timers run before sockets are read: after a stall of this process replies may lie there unread, so they are read first.
   */
  private lookIn(ms: number): NodeJS.Timeout {
    return setTimeout(() => setImmediate(() => this.look()), ms).unref();
  }

  private look(): void {
    const now = performance.now();
    for (const pending of this.pending) {
      if (pending.giveUpAt > now) break;
      this.pending.delete(pending);
      const error = new OverdueReplyError(this.ms);
      pending.giveUp?.(error);
      this.listener.onOverdue(error);
    }
    const [next] = this.pending;
    this.timer = next && this.lookIn(next.giveUpAt - now);
  }
}
