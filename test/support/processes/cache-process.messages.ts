/** A test's request to a cache process. */
export type CacheRequest =
  | { readonly id: number; readonly key: string; readonly operation: 'get' }
  | { readonly id: number; readonly key: string; readonly operation: 'invalidate' }
  | { readonly id: number; readonly key: string; readonly operation: 'increment'; readonly times: number }
  | {
      readonly id: number;
      readonly key: string;
      readonly operation: 'getOrSet';
      readonly callers: number;
      readonly fetchMs: number;
      readonly leaseMs: number;
    }
  | { readonly id: number; readonly key: string; readonly operation: 'fill'; readonly count: number }
  | { readonly id: number; readonly key: string; readonly operation: 'entries' }
  | { readonly id: number; readonly key: string; readonly operation: 'watched' }
  | {
      readonly id: number;
      readonly key: string;
      readonly operation: 'watch';
      readonly count: number;
      readonly old: number;
    };

/** What a process has read while it watched. Instants are by the system's monotonic clock, in milliseconds. */
export interface WatchedReads {
  readonly reads: number;
  /** When the last read began that was answered with the old version; undefined if none was. */
  readonly lastOldReadAt: number | undefined;
  /** The longest time for which the event loop was held, with the pauses that the system imposed. */
  readonly longestTurnMs: number;
}

/** A cache process's message to the test. `fetching`: its fetcher has read the source and now waits for `fetchMs`. */
export type CacheResponse =
  | { readonly kind: 'ready' }
  | { readonly kind: 'fetching'; readonly key: string }
  | { readonly kind: 'result'; readonly id: number; readonly result: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly message: string };
