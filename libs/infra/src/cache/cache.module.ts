import { Global, Inject, Module, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { CACHE_OPTIONS, ConfigurableCacheModule } from './cache.module-definition.js';
import { CacheService } from './cache.service.js';
import { Checkpoints } from '../fleet/checkpoints.js';
import { ConsumerLeases } from '../fleet/consumer-leases.js';
import { composeCache, type CacheOptions, type CacheParts } from './compose-cache.js';
import { ProcessReports } from '../fleet/process-reports.js';

const CACHE_PARTS = Symbol('CACHE_PARTS');

/** The cache of an application: connects before the application listens, closes on shutdown. One per application. */
@Global()
@Module({
  providers: [
    { provide: CACHE_PARTS, inject: [CACHE_OPTIONS], useFactory: (options: CacheOptions) => composeCache(options) },
    { provide: CacheService, inject: [CACHE_PARTS], useFactory: (parts: CacheParts) => parts.cache },
    { provide: Checkpoints, inject: [CACHE_PARTS], useFactory: (parts: CacheParts) => parts.checkpoints },
    { provide: ConsumerLeases, inject: [CACHE_PARTS], useFactory: (parts: CacheParts) => parts.leases },
    { provide: ProcessReports, inject: [CACHE_PARTS], useFactory: (parts: CacheParts) => parts.reports },
  ],
  exports: [CacheService, Checkpoints, ConsumerLeases, ProcessReports],
})
export class CacheModule extends ConfigurableCacheModule implements OnModuleInit, OnApplicationShutdown {
  constructor(@Inject(CacheService) private readonly cache: CacheService) {
    super();
  }

  async onModuleInit(): Promise<void> {
    await this.cache.open();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.cache.close();
  }
}
