import { circuitBreaker, CircuitState, ConsecutiveBreaker, handleWhen } from 'cockatiel';
import { OverdueReplyError, type ReplyListener } from './reply-deadline.js';

/** A single late reply is a hiccup; three in a row, with none in time between, are a server that hangs. */
const OVERDUE_MAX = 3;
/** How often a server that hangs is asked for a sign of life. */
const PROBE_MS = 100;

/**
 * Spares callers the wait for a server that is connected and does not answer: after three overdue replies in a row nothing
 * is to be asked of it until a probe was answered in time.
 *
 * Only an overdue reply counts. A refusal by the server is an answer; a lost connection is known at once, by its own state;
 * and an error of ours says nothing of the server. Callers are never the probe, so recovery needs no traffic, and nobody
 * waits for its outcome.
 */
export class ReadBreaker implements ReplyListener {
  private readonly policy = circuitBreaker(
    handleWhen((error) => error instanceof OverdueReplyError),
    { breaker: new ConsecutiveBreaker(OVERDUE_MAX), halfOpenAfter: 0 }, // when to try is decided by the timer here
  );
  private timer: NodeJS.Timeout | undefined;
  /** Whether a reply was overdue since the last one in time. */
  private isSuspected = false;

  constructor(
    /** Settles when the server has answered; rejects with `OverdueReplyError` if it was overdue. */
    private readonly probe: () => Promise<unknown>,
    onOpen: () => void,
  ) {
    this.policy.onBreak(() => {
      this.timer = setTimeout(() => this.tell(this.probe), PROBE_MS).unref();
      onOpen();
    });
  }

  /** Why nothing is to be asked just now; undefined if it may be. */
  get reason(): string | undefined {
    if (!this.isSuspected || this.policy.state === CircuitState.Closed) return undefined;
    return `Redis is connected but has not answered ${OVERDUE_MAX} times in a row: the circuit is open until it does`;
  }

  onReply(): void {
    if (!this.isSuspected || this.policy.state !== CircuitState.Closed) return; // open, only the probe counts
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

  /** What has happened, for the policy to judge. Errors other than an overdue reply are not for it: it takes them for none. */
  private tell(outcome: () => Promise<unknown>): void {
    this.policy.execute(outcome).catch(() => undefined);
  }
}
