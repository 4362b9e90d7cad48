import type { RedisClient } from './redis-client.js';

/**
 * Starts connecting and answers whether the client was ready within `timeoutMs`. False is not the end: the client goes on
 * trying, so an application may start while Redis is away.
 */
export async function connectRedis(client: RedisClient, timeoutMs: number): Promise<boolean> {
  if (client.status === 'ready') return true;
  const ready = new Promise<true>((resolve) => client.once('ready', () => resolve(true)));
  if (client.status === 'wait') client.connect().catch(() => undefined); // a failed first attempt is followed by others
  return bounded(ready, timeoutMs, false);
}

/** Ends the connection after the replies that are still due, or without them when `timeoutMs` is over. Never rejects. */
export async function quitRedis(client: RedisClient, timeoutMs: number): Promise<void> {
  if (client.status === 'ready') {
    const ended = new Promise<void>((resolve) => client.once('end', resolve));
    const quit = client.quit().then(
      () => ended,
      () => undefined, // it is disconnected below, whatever Redis says to it
    );
    await bounded(quit, timeoutMs, undefined);
  }
  client.disconnect(); // also one that ended, and would be revived
}

/** The result of `work`, or `otherwise` when it took longer than `timeoutMs`. */
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
