import { Injectable } from '@nestjs/common';

/** A refusal waits between half and one and a half of this, so that requests that came together do not return so. */
const DELAY_MS = 1_000;
/** Maximum number of refusals that wait: some 20 MB with their connections. */
const WAITING_MAX = 2_000;

/**
 * Slows down clients that repeat a refused request at once: meanwhile their connection is taken, and this process
 * has a timer to keep. Otherwise refusals alone can keep it so busy that other customers wait for seconds.
 */
@Injectable()
export class RefusalDelay {
  private waiting = 0;

  /** Resolves when the refusal may be answered: after 0.5 to 1.5 s, or at once while as many wait as may. */
  async pass(): Promise<void> {
    if (this.waiting >= WAITING_MAX) return;
    this.waiting += 1;
    await new Promise((resolve) => setTimeout(resolve, DELAY_MS * (0.5 + Math.random())));
    this.waiting -= 1;
  }
}
