/** Thrown by `withDeadline`. */
export class DeadlineExceededError extends Error {
  constructor(ms: number) {
    super(`timeout: no complete answer within ${ms} ms`);
    this.name = 'TimeoutError';
  }
}

/**
 * Guarantees an outcome within `ms`, whatever the operation does. Its signal is aborted when the time is over: what goes on
 * then does so for nobody. What the operation answers later is dropped.
 */
export async function withDeadline<T>(ms: number, operation: (over: AbortSignal) => PromiseLike<T>): Promise<T> {
  const ending = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const error = new DeadlineExceededError(ms);
      reject(error);
      ending.abort(error);
    }, ms);
  });
  try {
    return await Promise.race([operation(ending.signal), deadline]);
  } finally {
    clearTimeout(timer);
  }
}
