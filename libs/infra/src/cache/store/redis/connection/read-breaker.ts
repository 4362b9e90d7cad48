import { circuitBreaker, CircuitState, ConsecutiveBreaker, handleWhen } from 'cockatiel';
import { OverdueReplyError, type ReplyListener } from './reply-deadline.js';

/** One late reply is a hiccup; three in a row, with none in time between, mean that the server hangs. */
const OVERDUE_MAX = 3;
/** How often a hanging server is pinged. */
const PROBE_MS = 100;

/**
 * Spares callers the wait for a server that is connected and does not answer: after three overdue replies in a row, no
 * caller should ask until a probe has been answered in time.
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
  /** Whether a reply was overdue since the last one in time. */
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
