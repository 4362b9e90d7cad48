import type { ConsumerTerm } from './consumer-leases.js';

/** Durable positions of change-event consumers, kept in the same store as the entries that those events invalidate. */
export abstract class Checkpoints {
  /**
   * The position last saved under this name; undefined if there is none. Opaque: never compare it or compute with it.
   */
  abstract load(name: string): Promise<string | undefined>;
  /**
   * Resolves when saved. Save only after every invalidation up to the position was acknowledged. With a term that is
   * over, rejects with `CACHE_TERM_OVER` and saves nothing: a consumer that was taken for dead moves no position.
   */
  abstract save(name: string, position: string, term?: ConsumerTerm): Promise<void>;
  abstract remove(name: string): Promise<void>;
}
