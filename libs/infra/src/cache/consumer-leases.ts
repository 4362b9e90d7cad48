/** The right to consume, held by one process at a time. Obtained from `ConsumerLeases.acquire`. */
export interface ConsumerTerm {
  readonly consumer: string;
  /** Who holds it: a random name of the process. */
  readonly holder: string;
  /** Names this term among all terms of the consumer. */
  readonly fence: number;
}

/** Who consumes now. */
export interface ConsumerHolder {
  readonly holder: string;
  /** Milliseconds until somebody else may take over, if nothing is heard of the holder. */
  readonly expiresInMs: number;
}

/**
 * Which process consumes a stream, and how far each feed of changes has been followed. Kept in the same store as the
 * checkpoints, by the store's own clock. A holder that was paused or cut off may still believe in its term; whatever it
 * writes under it is refused.
 *
 * Every method may reject with `StoreUnavailableError`; then it may or may not have been carried out.
 */
export abstract class ConsumerLeases {
  /** The new term; undefined while somebody else holds the lease. */
  abstract acquire(consumer: string, holder: string, leaseMs: number): Promise<ConsumerTerm | undefined>;
  /**
   * Prolongs the term and says of each feed how many milliseconds ago all its changes up to then had been applied; of a feed
   * that is not named, what was said before stays true. It may be longer ago than was said before, when a silence turns out
   * to have been a loss. False, and nothing is changed: the term is over.
   */
  abstract renew(term: ConsumerTerm, leaseMs: number, feedAges: ReadonlyMap<string, number>): Promise<boolean>;
  /** Ends the term if it is not over yet, so that a stand-by need not wait for the lease to run out. */
  abstract release(term: ConsumerTerm): Promise<void>;
  abstract holder(consumer: string): Promise<ConsumerHolder | undefined>;
  /**
   * Of each feed: how many milliseconds ago it is known to have been up to date. A feed that nobody follows any more grows
   * older; one that is not named was never followed since the store began.
   */
  abstract feedAges(): Promise<ReadonlyMap<string, number>>;
}
