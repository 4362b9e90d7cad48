import { Global, Inject, Logger, Module, type OnApplicationShutdown } from '@nestjs/common';
import { APP_CONFIG } from '../config/application-config.js';
import { createRedisClient, isRedisConfigured, type RedisClient } from './redis-client.js';
import { lastFailure, lastingFailure } from './connecting/redis-failure.js';
import type { RedisConfig } from './redis-variables.js';
import { Refusals } from './refusals.js';
import { connectRedis, quitRedis } from './connecting/redis-lifetime.js';

/** The injection token of the process's one {@link RedisClient}; its value is null when no Redis is configured. */
export const REDIS_CLIENT = Symbol('REDIS_CLIENT');

/** Time for outstanding replies at shutdown; the users of the connection have been stopped before. */
const QUIT_TIMEOUT_MS = 1_000;

/**
 * Provides {@link REDIS_CLIENT} everywhere. The application starts whether Redis answers or not; each outage and each
 * recovery is logged once. Import it before the modules that use the connection: then it outlives their providers. It
 * ends within a second.
 */
@Global()
@Module({
  providers: [{ provide: REDIS_CLIENT, inject: [APP_CONFIG], useFactory: openRedis }],
  exports: [REDIS_CLIENT],
})
export class RedisModule implements OnApplicationShutdown {
  constructor(@Inject(REDIS_CLIENT) private readonly client: RedisClient | null) {}

  async onApplicationShutdown(): Promise<void> {
    if (this.client) await quitRedis(this.client, QUIT_TIMEOUT_MS);
  }
}

async function openRedis({ redis }: { readonly redis: RedisConfig }): Promise<RedisClient | null> {
  if (!isRedisConfigured(redis)) return null;
  const client = createRedisClient(redis);
  logOutages(client, new Logger('Redis'));
  logRefusals(client, new Logger('Redis'));
  await connectRedis(client, redis.connectTimeoutMs);
  return client;
}

/**
 * Logs the first failure of each outage, and a cause that is found later, not every reconnect attempt; an intended end
 * is not an outage.
 */
function logOutages(client: RedisClient, logger: Logger): void {
  let isAway = false;
  let told: string | undefined;
  client.on('reconnecting', () => {
    const reason = lastFailure(client) ?? 'the connection was closed';
    const isNewlyExplained = reason !== told && reason === lastingFailure(client);
    if (isAway && !isNewlyExplained) return;
    isAway = true;
    told = reason;
    logger.warn(`Redis is away (${reason}): reads go to the source, writes are refused; reconnecting until it is back`);
  });
  client.on('ready', () => {
    logger.log(isAway ? 'Redis is back' : 'Redis is connected');
    isAway = false;
  });
}

/** A recurring reason is logged again after this time at the earliest. */
const REASON_REST_MS = 60_000;
/** Maximum number of reasons remembered for that; beyond it a reason may be logged sooner. */
const REASONS_MAX = 100;

/** Logs why Redis refuses a part of this process, and when the refusal ends. */
function logRefusals(client: RedisClient, logger: Logger): void {
  const toldAt = new Map<string, number>();
  const told = new Set<string>();
  Refusals.of(client).listen((part, reason) => {
    if (reason === undefined) {
      if (told.delete(part)) logger.log(`Redis does not refuse ${part} any more`);
      return;
    }
    const line = `Redis refuses ${part}: ${reason}`;
    if (performance.now() - (toldAt.get(line) ?? -Infinity) < REASON_REST_MS) return;
    if (toldAt.size >= REASONS_MAX) toldAt.clear();
    toldAt.set(line, performance.now());
    told.add(part);
    logger.warn(line);
  });
}
