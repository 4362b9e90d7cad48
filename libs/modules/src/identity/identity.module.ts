import { Module } from '@nestjs/common';
import { MappingCacheService } from './mapping-cache.service.js';
import { MappingService } from './mapping.service.js';

/** Who a user is. Needs `CacheService` and `SalesforceClient` from the application. */
@Module({
  providers: [MappingCacheService, MappingService],
  exports: [MappingCacheService, MappingService],
})
export class IdentityModule {}
