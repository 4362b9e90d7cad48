import { Module } from '@nestjs/common';
import { MappingCacheService } from './mapping-cache.service.js';
import { MappingService } from './mapping.service.js';

/** The account of a user. Needs `CacheService`, `CallersModule` and `SalesforceClient` from the application. */
@Module({
  providers: [MappingCacheService, MappingService],
  exports: [MappingCacheService, MappingService],
})
export class IdentityModule {}
