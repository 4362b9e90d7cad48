import { deferred } from '../../../support/deferred.js';

/** The source of a cached value. A fetch reads the value at once, and answers or fails as soon as `answers` does. */
export class Source {
  value: unknown = 'old';
  fetches = 0;
  private readonly begun = deferred();
  private answers: Promise<unknown> = Promise.resolve();

  readonly fetch = async (): Promise<unknown> => {
    const { value } = this;
    this.fetches += 1;
    this.begun.resolve();
    await this.answers;
    return value;
  };

  /** Resolves when the first fetch has read the value. */
  get read(): Promise<void> {
    return this.begun.promise;
  }

  /** From now on, fetches answer when the returned function is called. */
  hold(): () => void {
    const held = deferred();
    this.answers = held.promise;
    return held.resolve;
  }

  /** From now on, a fetch settles as `answers` does: after a while, or with an error. */
  answerAfter(answers: Promise<unknown>): void {
    this.answers = answers;
  }
}
