import { SalesforceError } from '../salesforce.errors.js';
import type { BackOffBounds } from './back-off.js';

/** What may be set about the CometD transport. */
export interface CometdOptions {
  /**
   * The connection is rebuilt when no answer to `/meta/connect` came for so long. Salesforce answers at least every 110 s
   * (Streaming API Guide, "Timeouts"). @default 150000
   */
  readonly watchdogMs?: number;
  /** Events of one topic that wait for their handler. When it is full reading stops; nothing is dropped. @default 1000 */
  readonly queueMax?: number;
  /**
   * How long a new subscription without a start position settles before it counts as live. For about 3 s after such a
   * subscription a real org was seen to leave events out (measured on the Pub/Sub API). 0 for the sandbox. @default 3000
   */
  readonly settleMs?: number;
  /** The first and the longest wait between attempts to connect or to hand over an event. @default 200 and 30000 */
  readonly retryMinMs?: number;
  readonly retryMaxMs?: number;
}

/** The options with defaults applied and limits checked. Frozen. */
export interface ResolvedCometdOptions {
  readonly watchdogMs: number;
  readonly queueMax: number;
  readonly settleMs: number;
  readonly backOff: BackOffBounds;
}

/** Guarantees usable options, or throws `SALESFORCE_INVALID_OPTION` naming the bad one. */
export function resolveCometdOptions(options: CometdOptions = {}): ResolvedCometdOptions {
  const whole = (name: keyof CometdOptions, fallback: number, min: number, max: number): number => {
    const value = options[name] ?? fallback;
    if (Number.isInteger(value) && value >= min && value <= max) return value;
    throw new SalesforceError('SALESFORCE_INVALID_OPTION', `${name} must be a whole number from ${min} to ${max}`);
  };
  const minMs = whole('retryMinMs', 200, 1, 60_000);
  return Object.freeze({
    watchdogMs: whole('watchdogMs', 150_000, 100, 3_600_000),
    queueMax: whole('queueMax', 1_000, 1, 100_000),
    settleMs: whole('settleMs', 3_000, 0, 60_000),
    backOff: Object.freeze({ minMs, maxMs: whole('retryMaxMs', 30_000, minMs, 3_600_000) }),
  });
}
