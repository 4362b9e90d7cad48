/** The report of one live process under one topic. */
export interface ProcessReport {
  readonly processId: string;
  readonly at: number;
  readonly content: unknown;
}

/**
 * A board on which each process publishes its counters and state, and from which any process reads those of all live
 * ones. With Redis, each writes every second, and one that has not written for 10 s is not live.
 */
export abstract class ProcessReports {
  /** Replaces what this process publishes under `topic`, until `close`. `content` is called anew for each report. */
  abstract publish(topic: string, content: () => unknown): void;
  /**
   * The newest report under `topic` of every live process. This process reads its own report directly, so that one is
   * never behind.
   */
  abstract read(topic: string): Promise<ProcessReport[]>;
  abstract close(): Promise<void>;
}
