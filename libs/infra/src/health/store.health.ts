import { Inject, Injectable } from '@nestjs/common';
import { HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';
import { CacheService } from '../cache/cache.service.js';
import { APP_CONFIG } from '../config/application-config.js';
import type { RedisClient } from '../redis/redis-client.js';
import type { RedisConfig } from '../redis/redis-variables.js';
import { Refusals } from '../redis/refusals.js';
import { pingRedis } from '../redis/redis.health.js';
import { REDIS_CLIENT } from '../redis/redis.module.js';

/**
 * Health of the cache's store. A store that is away is `degraded`, not `down`: the source then answers reads, so this
 * process still works, and an orchestrator that replaced it would improve nothing.
 */
@Injectable()
export class StoreHealth {
  constructor(
    private readonly indicators: HealthIndicatorService,
    @Inject(CacheService) private readonly cache: CacheService,
    @Inject(REDIS_CLIENT) private readonly redis: RedisClient | null,
    @Inject(APP_CONFIG) private readonly config: { readonly redis: Pick<RedisConfig, 'commandTimeoutMs'> },
  ) {}

  /** The result is named `redis` or, without Redis, `store`. Answers within the command timeout and never rejects. */
  async check(): Promise<HealthIndicatorResult> {
    const { kind, status, reason, entries, bytes, owedInvalidations, l1 } = this.cache.state();
    const directReads = this.cache.directReads();
    const size = { ...(entries !== undefined && { entries }), ...(bytes !== undefined && { bytes }), directReads };
    const owed = owedInvalidations !== undefined && { owedInvalidations };
    if (!this.redis) return this.indicators.check('store').up({ kind, ...size });
    const indicator = this.indicators.check('redis');
    const ping = await pingRedis(this.redis, this.config.redis.commandTimeoutMs);
    if (ping.status === 'down') return indicator.degraded({ connection: 'down', reason: away(ping.reason), ...owed });
    const { latencyMs } = ping;
    if (status === 'down') {
      return indicator.degraded({
        connection: 'up',
        latencyMs,
        reason: away(reason ?? 'the store is not ready'),
        ...owed,
      });
    }
    const refused = Refusals.of(this.redis).reasons;
    if (refused.length > 0)
      return indicator.degraded({
        connection: 'up',
        latencyMs,
        reason: `Redis refuses ${refused.join('; ')}`,
        ...size,
      });
    return indicator.up({ connection: 'up', latencyMs, ...size, ...(l1 && { l1: { ...l1 } }) });
  }
}

function away(reason: string): string {
  return `${reason}; reads go to the source, invalidations wait until the store is back`;
}
