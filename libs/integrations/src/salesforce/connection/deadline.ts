/** The operation of `withDeadline` did not settle in time. */
export class DeadlineExceededError extends Error {
  constructor(ms: number) {
    super(`timeout: no complete answer within ${ms} ms`);
    this.name = 'TimeoutError';
  }
}

/**
 * Guarantees an outcome within `ms`. At the deadline it rejects and aborts the operation's signal; a later result of
 * the operation is dropped.
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
