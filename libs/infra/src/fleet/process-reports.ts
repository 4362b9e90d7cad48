/** The report of one live process under one topic. */
export interface ProcessReport {
  readonly processId: string;
  readonly at: number;
  readonly content: unknown;
}

/** What processes have counted under a topic: `live` and `ended` together are the whole. */
export interface CountedReports {
  /** The newest report of every live process. */
  readonly live: readonly ProcessReport[];
  /** The last reports of processes that are not live any more; one of them may be the sum of many. */
  readonly ended: readonly Pick<ProcessReport, 'content'>[];
}

/**
 * A board on which each process publishes its counters and state, and from which any process reads those of all live
 * ones, and the counters of those that have ended. With Redis, each writes every second, and one that has not written
 * for 5 s is not live.
 */
export abstract class ProcessReports {
  /** Replaces what this process publishes under `topic`, until `close`. `content` is called anew for each report. */
  abstract publish(topic: string, content: () => unknown): void;
  /**
   * Like `publish`, for an object of numbers that only grow (in objects, as deep as you like). What was counted is kept
   * when the process ends, so that no sum ever falls while the store keeps its data. Use a topic for one of the two.
   */
  abstract publishCounters(topic: string, content: () => object): void;
  /**
   * The newest report under `topic` of every live process. This process reads its own report directly, so that one is
   * never behind.
   */
  abstract read(topic: string): Promise<ProcessReport[]>;
  /**
   * What was published by `publishCounters`, by live processes and by those that have ended. The sum of a later call, in
   * whichever process, is never smaller: the own counters are published before the others' are read. A process that
   * ends without `close` takes with it what it has counted since it last wrote: a second at most, and nobody has read
   * that.
   */
  abstract readCounters(topic: string): Promise<CountedReports>;
  abstract close(): Promise<void>;
}
