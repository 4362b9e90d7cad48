import { SalesforceError } from '../salesforce.errors.js';
import type { BackOffBounds } from './back-off.js';
import type { StreamLog } from './stream-journal.js';

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
  /** The first wait after a failure, whatever failed; it doubles from there. @default 200 */
  readonly retryMinMs?: number;
  /** The longest wait between attempts to connect, or to subscribe a topic. @default 30000 */
  readonly connectRetryMaxMs?: number;
  /**
   * The longest wait between attempts where Salesforce refuses the sign-in or the org has used up its events of the day:
   * only people, or the next day, change that, and attempts use up limits as well. @default 300000
   */
  readonly refusedRetryMaxMs?: number;
  /** The longest wait before an event is handed over again. Until it is taken, its old value may be served. @default 5000 */
  readonly handlerRetryMaxMs?: number;
  /** Told of every change of the stream's state. @default nobody */
  readonly log?: StreamLog;
}

/** The options with defaults applied and limits checked. Frozen. */
export interface ResolvedCometdOptions {
  readonly watchdogMs: number;
  readonly queueMax: number;
  readonly settleMs: number;
  readonly connectBackOff: BackOffBounds;
  readonly refusedBackOff: BackOffBounds;
  readonly handlerBackOff: BackOffBounds;
  readonly log: StreamLog;
}

/** Guarantees usable options, or throws `SALESFORCE_INVALID_OPTION` naming the bad one. */
export function resolveCometdOptions(options: CometdOptions = {}): ResolvedCometdOptions {
  const whole = (name: Exclude<keyof CometdOptions, 'log'>, fallback: number, min: number, max: number): number => {
    const value = options[name] ?? fallback;
    if (Number.isInteger(value) && value >= min && value <= max) return value;
    throw new SalesforceError('SALESFORCE_INVALID_OPTION', `${name} must be a whole number from ${min} to ${max}`);
  };
  const minMs = whole('retryMinMs', 200, 1, 60_000);
  return Object.freeze({
    watchdogMs: whole('watchdogMs', 150_000, 100, 3_600_000),
    queueMax: whole('queueMax', 1_000, 1, 100_000),
    settleMs: whole('settleMs', 3_000, 0, 60_000),
    connectBackOff: Object.freeze({ minMs, maxMs: whole('connectRetryMaxMs', 30_000, minMs, 3_600_000) }),
    refusedBackOff: Object.freeze({ minMs, maxMs: whole('refusedRetryMaxMs', 300_000, minMs, 3_600_000) }),
    handlerBackOff: Object.freeze({ minMs, maxMs: whole('handlerRetryMaxMs', 5_000, minMs, 3_600_000) }),
    log: options.log ?? (() => undefined),
  });
}
