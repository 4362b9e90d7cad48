import { FetchTimeoutError } from '../cache.errors.js';

/**
 * The result of the fetch. After `timeoutMs` it rejects with `CACHE_FETCH_TIMEOUT` and calls `abort`; a later result is
 * dropped, because a fetch can only be asked to stop. Without a timeout the fetch may take any time.
 */
export async function fetchInTime(
  key: string,
  timeoutMs: number | undefined,
  fetch: () => Promise<unknown>,
  abort: () => void,
): Promise<unknown> {
  if (timeoutMs === undefined) return fetch();
  let timer: NodeJS.Timeout | undefined;
  const overdue = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new FetchTimeoutError(key, timeoutMs)); // first, so that its waiters receive this error
      abort();
    }, timeoutMs);
  });
  try {
    return await Promise.race([fetch(), overdue]);
  } finally {
    clearTimeout(timer);
  }
}
