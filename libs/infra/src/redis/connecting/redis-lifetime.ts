import type { RedisClient } from '../redis-client.js';

/**
 * Starts connecting and resolves with whether the client was ready within `timeoutMs`. After false the client keeps
 * trying, so an application may start while Redis is away.
 */
export async function connectRedis(client: RedisClient, timeoutMs: number): Promise<boolean> {
  if (client.status === 'ready') return true;
  const ready = new Promise<true>((resolve) => client.once('ready', () => resolve(true)));
  if (client.status === 'wait') client.connect().catch(() => undefined); // other attempts follow a failed first one
  return bounded(ready, timeoutMs, false);
}

/** Ends the connection after the outstanding replies, or without them after `timeoutMs`. Never rejects. */
export async function quitRedis(client: RedisClient, timeoutMs: number): Promise<void> {
  if (client.status === 'ready') {
    const ended = new Promise<void>((resolve) => client.once('end', resolve));
    const quit = client.quit().then(
      () => ended,
      () => undefined, // disconnected below, whatever Redis answers
    );
    await bounded(quit, timeoutMs, undefined);
  }
  client.disconnect(); // also a client that has ended, which would be revived
}

/** The result of `work`, or `otherwise` if it took longer than `timeoutMs`. Rejects if `work` rejects in time. */
export async function bounded<T, U>(work: Promise<T>, timeoutMs: number, otherwise: U): Promise<T | U> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<U>((resolve) => {
    timer = setTimeout(() => resolve(otherwise), timeoutMs);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
