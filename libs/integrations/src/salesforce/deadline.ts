/** Thrown by `withDeadline`. */
export class DeadlineExceededError extends Error {
  constructor(ms: number) {
    super(`timeout: no complete answer within ${ms} ms`);
    this.name = 'TimeoutError';
  }
}

/**
 * Guarantees an outcome within `ms`, whatever the operation does. Needed besides jsforce's own time-out, which covers the
 * answer's head but not its body, and does not exist for sign-in. What the operation answers later is dropped.
 */
export async function withDeadline<T>(ms: number, operation: () => PromiseLike<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new DeadlineExceededError(ms)), ms);
  });
  try {
    return await Promise.race([operation(), deadline]);
  } finally {
    clearTimeout(timer);
  }
}
