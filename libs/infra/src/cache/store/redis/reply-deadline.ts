import { StoreUnavailableError } from '../../cache.errors.js';

/** No reply came in time. One that comes later changes nothing any more. */
export class OverdueReplyError extends StoreUnavailableError {
  constructor(ms: number) {
    super(`Redis did not answer within ${ms} ms`);
    this.name = 'OverdueReplyError';
  }
}

interface Pending {
  readonly giveUpAt: number;
  readonly giveUp: () => void;
}

/** Waits for replies, for each of them the same time, with one timer for all. */
export class ReplyDeadline {
  /** In the order of their deadlines, because all have the same time. */
  private readonly pending = new Set<Pending>();
  private timer: NodeJS.Timeout | undefined;

  constructor(readonly ms: number) {}

  /** Settles as the reply does, or rejects with `OverdueReplyError`. */
  within<T>(reply: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const pending: Pending = {
        giveUpAt: performance.now() + this.ms,
        giveUp: () => reject(new OverdueReplyError(this.ms)),
      };
      this.pending.add(pending);
      this.timer ??= this.lookIn(this.ms);
      reply.then(
        (value) => {
          this.pending.delete(pending);
          resolve(value);
        },
        (error: Error) => {
          this.pending.delete(pending);
          reject(error);
        },
      );
    });
  }

  /** No reply is to be expected any more: all that are waited for are overdue now. */
  giveUpAll(): void {
    for (const pending of this.pending) pending.giveUp();
    this.pending.clear();
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
      pending.giveUp();
    }
    const [next] = this.pending;
    this.timer = next && this.lookIn(next.giveUpAt - now);
  }
}
