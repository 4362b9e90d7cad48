import { circuitBreaker, CircuitState, ConsecutiveBreaker, handleWhen } from 'cockatiel';
import { OverdueReplyError } from './reply-deadline.js';

/** A single late reply is a hiccup; three in a row, with none in time between, are a server that hangs. */
const OVERDUE_MAX = 3;
/** How often a server that hangs is asked for a sign of life. */
const PROBE_MS = 100;

/**
 * Spares callers the wait for a server that is connected and does not answer: after three overdue replies in a row nothing
 * is asked of it until a probe was answered in time.
 *
 * Only an overdue reply counts. A refusal by the server is an answer; a lost connection is known at once, by its own state;
 * and an error of ours says nothing of the server. Callers are never the probe, so recovery needs no traffic, and nobody
 * waits for its outcome.
 */
export class ReadBreaker {
  private readonly policy = circuitBreaker(
    handleWhen((error) => error instanceof OverdueReplyError),
    { breaker: new ConsecutiveBreaker(OVERDUE_MAX), halfOpenAfter: 0 }, // when to try is decided by the timer here
  );
  private timer: NodeJS.Timeout | undefined;

  constructor(
    /** Settles when the server has answered, or was overdue. */
    private readonly probe: () => Promise<unknown>,
    onOpen: () => void,
  ) {
    this.policy.onBreak(() => {
      this.timer = setTimeout(() => void this.tryAgain(), PROBE_MS).unref();
      onOpen();
    });
  }

  /** Why nothing is asked just now; undefined if it may be. */
  get reason(): string | undefined {
    if (this.policy.state === CircuitState.Closed) return undefined;
    return `Redis is connected but has not answered ${OVERDUE_MAX} times in a row: the circuit is open until it does`;
  }

  /** Call it while there is no reason against it. */
  execute<T>(command: () => Promise<T>): Promise<T> {
    return this.policy.execute(command);
  }

  close(): void {
    clearTimeout(this.timer);
  }

  private async tryAgain(): Promise<void> {
    // Overdue again: the policy breaks again. Any other error ends with the connection, which is looked at in its own right.
    await this.policy.execute(this.probe).catch(() => undefined);
  }
}
