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
    };

/** A cache process's message to the test. `fetching`: its fetcher has read the source and now waits for `fetchMs`. */
export type CacheResponse =
  | { readonly kind: 'ready' }
  | { readonly kind: 'fetching'; readonly key: string }
  | { readonly kind: 'result'; readonly id: number; readonly result: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly message: string };
