import { SalesforceError } from '../salesforce.errors.js';
import type { BackOffBounds } from './back-off.js';

/** Receives what an operator should know: one line per change of state, never one per attempt. */
export type StreamLog = (level: 'info' | 'warn' | 'error', text: string) => void;

/** Options of a stream of change events, for any transport. */
export interface StreamOptions {
  /**
   * Maximum number of events of a topic that wait for its handler. When as many wait, reading stops (over CometD the
   * session ends, and a new one begins after the committed positions), so nothing is lost. @default 1000
   */
  readonly queueMax?: number;
  /** Maximum number of events in one call of the handler. @default 500 */
  readonly batchMax?: number;
  /**
   * How long a subscription that begins with a gap settles before `onGap`, and so before it counts as live. For about 3
   * s after a subscription without a start position, a real org was seen to omit events (measured on the Pub/Sub API by
   * others, who wait 5 s). 0 for the sandbox. @default 5000
   */
  readonly settleMs?: number;
  /**
   * How long a topic that was subscribed after a position must have been live and quiet to count as caught up, if
   * neither a keep-alive nor a new event proves it before. @default 3000
   */
  readonly catchUpMs?: number;
  /** Upper bound of the first wait after any failure; each further failure doubles it. @default 200 */
  readonly retryMinMs?: number;
  /** Longest wait between attempts to connect, or to subscribe a topic. @default 30000 */
  readonly connectRetryMaxMs?: number;
  /**
   * Longest wait between attempts after a refusal, such as a refused sign-in or used-up events of the day: only people,
   * or the next day, change that, and attempts use up limits as well. @default 300000
   */
  readonly refusedRetryMaxMs?: number;
  /**
   * Longest wait before events that the handler rejected are handed over again. Until they are taken, old values may be
   * served. @default 5000
   */
  readonly handlerRetryMaxMs?: number;
  /** Interval between checks of whether the integration user may still read the awaited objects. @default 600000 */
  readonly accessCheckMs?: number;
  /** Receives every change of the stream's state. @default none */
  readonly log?: StreamLog;
}

/** The options with defaults applied and limits checked. Frozen. */
export interface ResolvedStreamOptions {
  readonly queueMax: number;
  readonly batchMax: number;
  readonly settleMs: number;
  readonly catchUpMs: number;
  readonly connectBackOff: BackOffBounds;
  readonly refusedBackOff: BackOffBounds;
  readonly handlerBackOff: BackOffBounds;
  readonly accessCheckMs: number;
  readonly log: StreamLog;
}

/** Guarantees usable options, or throws `SALESFORCE_INVALID_OPTION` naming the bad one. */
export function resolveStreamOptions(options: StreamOptions): ResolvedStreamOptions {
  const whole = (name: Exclude<keyof StreamOptions, 'log'>, fallback: number, min: number, max: number): number =>
    wholeOption(name, options[name], fallback, min, max);
  const minMs = whole('retryMinMs', 200, 1, 60_000);
  return Object.freeze({
    queueMax: whole('queueMax', 1_000, 1, 100_000),
    batchMax: whole('batchMax', 500, 1, 10_000),
    settleMs: whole('settleMs', 5_000, 0, 60_000),
    catchUpMs: whole('catchUpMs', 3_000, 0, 60_000),
    connectBackOff: Object.freeze({ minMs, maxMs: whole('connectRetryMaxMs', 30_000, minMs, 3_600_000) }),
    refusedBackOff: Object.freeze({ minMs, maxMs: whole('refusedRetryMaxMs', 300_000, minMs, 3_600_000) }),
    handlerBackOff: Object.freeze({ minMs, maxMs: whole('handlerRetryMaxMs', 5_000, minMs, 3_600_000) }),
    accessCheckMs: whole('accessCheckMs', 600_000, 10, 86_400_000),
    log: options.log ?? (() => undefined),
  });
}

/** The value or its default; throws `SALESFORCE_INVALID_OPTION` unless it is a whole number within the limits. */
export function wholeOption(
  name: string,
  given: number | undefined,
  fallback: number,
  min: number,
  max: number,
): number {
  const value = given ?? fallback;
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new SalesforceError('SALESFORCE_INVALID_OPTION', `${name} must be a whole number from ${min} to ${max}`);
}
