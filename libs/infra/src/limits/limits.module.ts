import { Global, Module } from '@nestjs/common';
import { APP_CONFIG, type ApplicationConfig } from '../config/application-config.js';
import type { RedisClient } from '../redis/redis-client.js';
import { REDIS_CLIENT } from '../redis/redis.module.js';
import type { LimitsConfig } from './limits-variables.js';
import { Limits } from './limits.js';
import { MemoryLimits } from './memory/memory-limits.js';
import { RedisLimits } from './redis/redis-limits.js';

interface Config {
  readonly app: ApplicationConfig;
  readonly limits: LimitsConfig;
}

/**
 * Provides `Limits` to the whole application, where its cache is: in Redis, or in this process. Needs `RedisModule` and
 * `APP_CONFIG`.
 */
@Global()
@Module({
  providers: [
    {
      provide: Limits,
      inject: [REDIS_CLIENT, APP_CONFIG],
      useFactory: (redis: RedisClient | null, { app, limits: { policies, processes } }: Config) =>
        redis ? new RedisLimits(redis, app.name, policies, processes) : new MemoryLimits(policies),
    },
  ],
  exports: [Limits],
})
export class LimitsModule {}
