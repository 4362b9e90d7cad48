import { randomBytes } from 'node:crypto';
import { Module, type OnApplicationShutdown } from '@nestjs/common';
import { Encryption } from '../cache/encryption.js';
import { APP_CONFIG, type ApplicationConfig } from '../config/application-config.js';
import type { RedisClient } from '../redis/redis-client.js';
import { REDIS_CLIENT } from '../redis/redis.module.js';
import { IdempotencyRecords } from './idempotency-records.js';
import { IdempotentWork } from './idempotent-work.js';
import { MemoryIdempotencyRecords } from './memory/memory-idempotency-records.js';
import { RedisIdempotencyRecords } from './redis/redis-idempotency-records.js';

interface IdempotencyConfig {
  readonly app: ApplicationConfig;
  readonly cache: { readonly encryptionKeys: readonly { readonly id: string; readonly base64: string }[] };
}

/**
 * Work that is done once for each key, remembered where the application's cache is: in Redis, or in this process. Needs
 * `RedisModule` and `APP_CONFIG`.
 */
@Module({
  providers: [
    {
      provide: IdempotencyRecords,
      inject: [REDIS_CLIENT, APP_CONFIG],
      useFactory: (redis: RedisClient | null, { app }: IdempotencyConfig) =>
        redis ? new RedisIdempotencyRecords(redis, app.name) : new MemoryIdempotencyRecords(),
    },
    {
      provide: IdempotentWork,
      inject: [IdempotencyRecords, APP_CONFIG],
      useFactory: (records: IdempotencyRecords, { cache }: IdempotencyConfig) =>
        new IdempotentWork(records, new Encryption(encryptionKeys(cache.encryptionKeys))),
    },
  ],
  exports: [IdempotentWork],
})
export class IdempotencyModule implements OnApplicationShutdown {
  constructor(private readonly work: IdempotentWork) {}

  onApplicationShutdown(): Promise<void> {
    return this.work.close();
  }
}

/** Without a configured key, the store is this process, and a random key ends with it. */
function encryptionKeys(configured: IdempotencyConfig['cache']['encryptionKeys']) {
  if (configured.length === 0) return [{ id: 'process', secret: randomBytes(32) }];
  return configured.map(({ id, base64 }) => ({ id, secret: Buffer.from(base64, 'base64') }));
}
