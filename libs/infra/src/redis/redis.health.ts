import type { RedisClient } from './redis-client.js';
import { lastFailure } from './connecting/redis-failure.js';
import { bounded } from './connecting/redis-lifetime.js';

/** Whether Redis answers; `latencyMs` is how long the check took. The reason never holds a secret. */
export type RedisHealth =
  | { readonly status: 'up'; readonly latencyMs: number }
  | { readonly status: 'down'; readonly latencyMs: number; readonly reason: string };

/** Sends PING; answers within `timeoutMs` and never rejects. */
export async function pingRedis(client: RedisClient, timeoutMs: number): Promise<RedisHealth> {
  const startedAt = performance.now();
  const reason = await bounded(
    client.ping().then(
      () => undefined,
      // NOPERM is an answer too: Redis is up, though this user may not PING.
      (error: Error) => (error.message.startsWith('NOPERM ') ? undefined : unavailability(client, error)),
    ),
    timeoutMs,
    `no answer within ${timeoutMs} ms`,
  );
  const latencyMs = Math.round((performance.now() - startedAt) * 10) / 10;
  return reason === undefined ? { status: 'up', latencyMs } : { status: 'down', latencyMs, reason };
}

function unavailability(client: RedisClient, error: Error): string {
  if (client.status === 'ready') return error.message;
  const failure = lastFailure(client);
  return failure === undefined ? `not connected (${client.status})` : `not connected (${client.status}): ${failure}`;
}
