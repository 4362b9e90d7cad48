/** What the greedy customer does, from its first message until its second one. */
export interface GreedyOrder {
  readonly url: string;
  readonly token: string;
  readonly parallel: number;
  /** How long each of them waits after a refusal, on average. */
  readonly pauseMs: number;
}

/** Its answers, by status. */
export interface GreedyReport {
  readonly counts: Readonly<Record<string, number>>;
}
