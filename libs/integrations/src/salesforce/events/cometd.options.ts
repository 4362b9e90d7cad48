import { resolveStreamOptions, wholeOption, type ResolvedStreamOptions, type StreamOptions } from './stream.options.js';

/** Options of the CometD transport. */
export interface CometdOptions extends StreamOptions {
  /**
   * The session is replaced after this long without an answer to `/meta/connect`. Salesforce answers at least every 110
   * s (Streaming API Guide, "Timeouts"). @default 150000
   */
  readonly watchdogMs?: number;
}

/** The options with defaults applied and limits checked. Frozen. */
export interface ResolvedCometdOptions extends ResolvedStreamOptions {
  readonly watchdogMs: number;
}

/** Guarantees usable options, or throws `SALESFORCE_INVALID_OPTION` naming the bad one. */
export function resolveCometdOptions(options: CometdOptions = {}): ResolvedCometdOptions {
  return Object.freeze({
    ...resolveStreamOptions(options),
    watchdogMs: wholeOption('watchdogMs', options.watchdogMs, 150_000, 100, 3_600_000),
  });
}
