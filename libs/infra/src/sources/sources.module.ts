import { Global, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { APP_CONFIG, type ApplicationConfig } from '../config/application-config.js';
import type { RedisClient } from '../redis/redis-client.js';
import { REDIS_CLIENT } from '../redis/redis.module.js';
import { MemorySpendLedger } from './memory-spend-ledger.js';
import { RedisSpendLedger } from './redis-spend-ledger.js';
import { SpendLedger } from './spend-ledger.js';

/**
 * Provides `SpendLedger` everywhere: of all processes on Redis, else of this one. Needs `RedisModule` and `APP_CONFIG`.
 */
@Global()
@Module({
  providers: [
    {
      provide: SpendLedger,
      inject: [REDIS_CLIENT, APP_CONFIG],
      useFactory: (redis: RedisClient | null, { app }: { readonly app: ApplicationConfig }) =>
        redis ? new RedisSpendLedger(redis, app.name) : new MemorySpendLedger(),
    },
  ],
  exports: [SpendLedger],
})
export class SourcesModule implements OnApplicationShutdown {
  constructor(@Inject(SpendLedger) private readonly ledger: SpendLedger) {}

  onApplicationShutdown(): Promise<void> {
    return this.ledger.close();
  }
}
