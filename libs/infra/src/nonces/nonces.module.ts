import { Module } from '@nestjs/common';
import { APP_CONFIG, type ApplicationConfig } from '../config/application-config.js';
import type { RedisClient } from '../redis/redis-client.js';
import { REDIS_CLIENT } from '../redis/redis.module.js';
import { MemoryNonces } from './memory/memory-nonces.js';
import { Nonces } from './nonces.js';
import { RedisNonces } from './redis/redis-nonces.js';

/**
 * Used nonces, where the application's cache is: in Redis, or in this process. Needs `RedisModule` and `APP_CONFIG`.
 */
@Module({
  providers: [
    {
      provide: Nonces,
      inject: [REDIS_CLIENT, APP_CONFIG],
      useFactory: (redis: RedisClient | null, { app }: { readonly app: ApplicationConfig }) =>
        redis ? new RedisNonces(redis, app.name) : new MemoryNonces(),
    },
  ],
  exports: [Nonces],
})
export class NoncesModule {}
