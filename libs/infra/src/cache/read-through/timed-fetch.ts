import { FetchTimeoutError } from '../cache.errors.js';

/**
 * What the fetch brings; or, when it takes longer than `timeoutMs`, `CACHE_FETCH_TIMEOUT`, and `abort` is called. What it
 * brings after that is dropped: it can only be asked to stop. Without a timeout it may take as long as it likes.
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
      reject(new FetchTimeoutError(key, timeoutMs)); // first, so that this is what its waiters are told
      abort();
    }, timeoutMs);
  });
  try {
    return await Promise.race([fetch(), overdue]);
  } finally {
    clearTimeout(timer);
  }
}
