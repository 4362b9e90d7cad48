import type { CacheMode } from '../contender.js';

/** An order of the benchmark to one of its processes. `contender` is a name, or `floor` for no cache at all. */
export type BenchOrder =
  | { readonly kind: 'open'; readonly contender: string; readonly redisUrl: string; readonly mode: CacheMode }
  | {
      readonly kind: 'stampede';
      readonly contender: string;
      readonly key: string;
      readonly callers: number;
      readonly fetchMs: number;
      /** The common start of all processes, in milliseconds of the system's monotonic clock. */
      readonly startAt: number;
    }
  | { readonly kind: 'watch'; readonly contender: string; readonly key: string; readonly old: number }
  | { readonly kind: 'watched' }
  | { readonly kind: 'ping'; readonly redisUrl: string }
  | { readonly kind: 'pinged' }
  | { readonly kind: 'listen'; readonly redisUrl: string; readonly channel: string }
  | { readonly kind: 'heard' };

/** The callers' waits in milliseconds, and the number of fetches in this process. */
export interface StampedeReport {
  readonly waits: readonly number[];
  readonly fetches: number;
}

/** When the last read with the old value began; undefined if there was none. */
export interface WatchReport {
  readonly lastOldReadAt: number | undefined;
  readonly reads: number;
}

/** The longest round trip of a PING in milliseconds. */
export interface PingReport {
  readonly longestMs: number;
}

/** The system's monotonic clock in milliseconds: the same for all processes of a machine. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
