import { Global, Inject, Logger, Module, type OnApplicationShutdown } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '../config/app-config.js';
import { createRedisClient, isRedisConfigured, type RedisClient } from './redis-client.js';
import { lastFailure } from './redis-failure.js';
import { Refusals } from './refusals.js';
import { connectRedis, quitRedis } from './redis-lifetime.js';

/** The injection token of the process's one {@link RedisClient}; its value is null when no Redis is configured. */
export const REDIS_CLIENT = Symbol('REDIS_CLIENT');

/** Replies that are due at shutdown get this long; what lives on connections has been told to end before. */
const QUIT_TIMEOUT_MS = 1_000;

/**
 * Provides {@link REDIS_CLIENT} everywhere. The application starts whether Redis answers or not; outages and recoveries
 * are logged once each. The connection outlives every other provider, and ends within a second.
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

async function openRedis({ redis }: AppConfig): Promise<RedisClient | null> {
  if (!isRedisConfigured(redis)) return null;
  const client = createRedisClient(redis);
  logOutages(client, new Logger('Redis'));
  logRefusals(client, new Logger('Redis'));
  await connectRedis(client, redis.connectTimeoutMs);
  return client;
}

/** Logs the first failure of each outage, not every attempt to reconnect; an intended end is no outage. */
function logOutages(client: RedisClient, logger: Logger): void {
  let isAway = false;
  client.on('reconnecting', () => {
    if (isAway) return;
    isAway = true;
    const reason = lastFailure(client) ?? 'the connection was closed';
    logger.warn(`Redis is away (${reason}): reads go to the source, writes are refused; reconnecting until it is back`);
  });
  client.on('ready', () => {
    logger.log(isAway ? 'Redis is back' : 'Redis is connected');
    isAway = false;
  });
}

/** A reason that comes and goes is told again after this at the earliest. */
const REASON_REST_MS = 60_000;
/** Reasons remembered for that; when there are more, something is told twice. */
const REASONS_MAX = 100;

/** Logs what Redis refuses to a part of this process, each reason once, and when it does not any more. */
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
