/** The right to consume, held by one process at a time. Obtained from `ConsumerLeases.acquire`. */
export interface ConsumerTerm {
  readonly consumer: string;
  /** The holder: a random name of the process. */
  readonly holder: string;
  /** Distinguishes this term from all other terms of the consumer. */
  readonly fence: number;
}

/** The process that consumes now. */
export interface ConsumerHolder {
  readonly holder: string;
  /** Milliseconds until another process may take over, if the holder stays silent. */
  readonly expiresInMs: number;
}

/**
 * Which process consumes a stream, and how far each feed of changes has been followed. Kept in the same store as the
 * checkpoints, timed by the store's clock. A holder that was paused or cut off may still believe in its term; the store
 * refuses everything that it writes under it.
 *
 * Every method may reject with `StoreUnavailableError`; then it may or may not have been carried out.
 */
export abstract class ConsumerLeases {
  /** The new term; undefined while another process holds the lease. */
  abstract acquire(consumer: string, holder: string, leaseMs: number): Promise<ConsumerTerm | undefined>;
  /**
   * Prolongs the term, and records for each named feed how many milliseconds ago it was up to date, with all its
   * changes until then applied. A feed that is not named keeps its earlier record. A new record may be further back
   * than the earlier one, when a silence turns out to have been a loss. False: the term is over, and nothing changed.
   */
  abstract renew(term: ConsumerTerm, leaseMs: number, feedAges: ReadonlyMap<string, number>): Promise<boolean>;
  /** Ends the term if it is not over yet, so that a stand-by need not wait for the lease to expire. */
  abstract release(term: ConsumerTerm): Promise<void>;
  abstract holder(consumer: string): Promise<ConsumerHolder | undefined>;
  /**
   * For each feed: how many milliseconds ago it is known to have been up to date. The age of a feed that nobody follows
   * grows. A feed that is missing was never followed since the store began, or was last recorded by a server whose
   * clock was ahead.
   */
  abstract feedAges(): Promise<ReadonlyMap<string, number>>;
}
