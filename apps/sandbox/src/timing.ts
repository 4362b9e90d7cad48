/** The times of the event streams. Both transports share one object, which a test may change while the sandbox runs. */
export interface Timing {
  /** How long a CometD connect is held when nothing happens (Streaming API guide, "Timeouts"). @default 110000 */
  connectTimeoutMs: number;
  /** How soon a CometD client must connect again after an answer. @default 40000 */
  cometdSessionTimeoutMs: number;
  /**
   * Time without events after which a Pub/Sub stream receives an empty response. @default 270000, Salesforce's upper
   * bound
   */
  keepaliveMs: number;
  /** How long a Pub/Sub stream may have nothing requested before it ends. @default 60000 */
  fetchTimeoutMs: number;
  /**
   * How long after a subscription at LATEST it still misses events. @default 0; about 3 s have been measured in orgs
   */
  settleMs: number;
}

/** The times of a real org, except `settleMs`: by default a subscription misses nothing after its start. */
export const REAL_TIMING: Readonly<Timing> = {
  connectTimeoutMs: 110_000,
  cometdSessionTimeoutMs: 40_000,
  keepaliveMs: 270_000,
  fetchTimeoutMs: 60_000,
  settleMs: 0,
};
