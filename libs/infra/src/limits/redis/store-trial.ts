import { reportDefect } from '../../process/defect-report.js';
import { settlesWithin } from '../../process/settles-within.js';
import { failureOf } from '../../redis/refused-reply.js';

/** After a question that was not answered in time, or refused, nothing is asked for this long. */
const REST_MS = 1_000;

/**
 * Questions to a store that callers do not depend on. While the store fails, one question a second finds out whether it
 * is back; the others are not sent, so nobody waits for them.
 */
export class StoreTrial {
  private restsUntil = -Infinity;

  /** @param patienceMs a caller waits at most this long for an answer */
  constructor(private readonly patienceMs: number) {}

  /** The answer; undefined if there is none in time, the store refuses, or it has failed within the last second. */
  async ask<T>(question: () => Promise<T>): Promise<T | undefined> {
    const now = performance.now();
    if (now < this.restsUntil) return undefined;
    const isTrial = this.restsUntil > -Infinity;
    if (isTrial) this.restsUntil = now + REST_MS; // the others wait for what this one finds out
    try {
      const answer = question();
      if (await settlesWithin(answer, this.patienceMs)) {
        this.restsUntil = -Infinity;
        return await answer;
      }
      answer.catch(() => undefined); // nobody waits for it any more
    } catch (error) {
      const failure = failureOf(error);
      if (failure.kind === 'defect') reportDefect(failure.error);
    }
    this.restsUntil = performance.now() + REST_MS;
    return undefined;
  }
}
