import { Global, Inject, Module, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { CACHE_OPTIONS, ConfigurableCacheModule } from './cache.module-definition.js';
import { CacheService } from './cache.service.js';
import { composeCache, type CreateCacheOptions } from './create-cache.js';

/** The cache of an application: opened before the application listens, closed on shutdown. One per application. */
@Global()
@Module({
  providers: [
    {
      provide: CacheService,
      inject: [CACHE_OPTIONS],
      useFactory: (options: CreateCacheOptions) => composeCache(options),
    },
  ],
  exports: [CacheService],
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
