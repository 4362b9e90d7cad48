import { circuitBreaker, CircuitState, ConsecutiveBreaker, handleWhen } from 'cockatiel';
import { Deadlines } from '../../../../redis/deadlines.js';
import { FULL_TRUST } from '../../../../redis/trust.js';
import { StoreUnavailableError } from '../../../cache.errors.js';

/** No reply came in time, or the wait was given up. A later reply is ignored. */
export class OverdueReplyError extends StoreUnavailableError {
  constructor(ms: number) {
    super(`Redis did not answer within ${ms} ms`);
    this.name = 'OverdueReplyError';
  }
}

/** Learns of each reply that comes in time, and of each that does not; a failed command counts as neither. */
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
   * promise covers all of it, because every promise costs a hit time.
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

/** Overdue replies in a row after which the circuit opens: one is a hiccup, three without one in time mean a hang. */
const OVERDUE_MAX = 3;
/** How long after the circuit opens, and after each overdue ping, a hanging server is pinged. */
const PROBE_MS = 100;

/**
 * Spares callers the wait for a server that is connected and does not answer: after three overdue replies in a row, no
 * caller should ask until a probe has been answered, or has failed, in time.
 *
 * Only an overdue reply counts. A refusal by the server is an answer; the connection's own state shows a loss at once;
 * an error of ours says nothing about the server. Callers are never the probe, so recovery needs no traffic, and no
 * caller waits for its outcome.
 */
export class ReadBreaker implements ReplyListener {
  private readonly policy = circuitBreaker(
    handleWhen((error) => error instanceof OverdueReplyError),
    { breaker: new ConsecutiveBreaker(OVERDUE_MAX), halfOpenAfter: 0 }, // the timer here decides when to try
  );
  private timer: NodeJS.Timeout | undefined;
  /** Whether a reply was overdue since the last one in time; while the circuit is open, no reply clears it. */
  private isSuspected = false;

  constructor(
    /** Settles when the server has answered; rejects with `OverdueReplyError` if the answer was overdue. */
    private readonly probe: () => Promise<unknown>,
    onOpen: () => void,
  ) {
    this.policy.onBreak(() => {
      this.timer = setTimeout(() => this.tell(this.probe), PROBE_MS).unref();
      onOpen();
    });
  }

  /** Why callers must not ask now; undefined if they may. */
  get reason(): string | undefined {
    if (!this.isSuspected || this.policy.state === CircuitState.Closed) return undefined;
    return `Redis is connected but has not answered ${OVERDUE_MAX} times in a row: the circuit is open until it does`;
  }

  onReply(): void {
    if (!this.isSuspected || this.policy.state !== CircuitState.Closed) return; // while open, only the probe counts
    this.isSuspected = false;
    this.tell(() => Promise.resolve());
  }

  onOverdue(error: OverdueReplyError): void {
    this.isSuspected = true;
    if (this.policy.state === CircuitState.Closed) this.tell(() => Promise.reject(error));
  }

  close(): void {
    clearTimeout(this.timer);
  }

  /**
   * Reports an outcome to the policy. Any error but an overdue reply counts as no failure; after a probe it closes the
   * circuit.
   */
  private tell(outcome: () => Promise<unknown>): void {
    this.policy.execute(outcome).catch(() => undefined);
  }
}
