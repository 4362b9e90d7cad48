import { Module } from '@nestjs/common';
import { IdentityModule } from '../identity/identity.module.js';
import { NotificationsModule } from '../notifications/notifications.module.js';
import { AccountCdcSubscriber } from './account-cdc.subscriber.js';
import { CatalogCacheService } from './catalog-cache.service.js';
import { CatalogCdcSubscriber } from './catalog-cdc.subscriber.js';
import { CatalogNotices } from './catalog-notices.js';
import { CatalogQueries } from './catalog-queries.js';
import { CatalogService } from './catalog.service.js';

/**
 * Products, option lists and eligibility. Needs `CacheService`, `APP_CONFIG`, `RedisModule`, `CallersModule` and
 * `SalesforceClient`.
 */
@Module({
  imports: [IdentityModule, NotificationsModule],
  providers: [
    CatalogCacheService,
    CatalogQueries,
    CatalogService,
    CatalogCdcSubscriber,
    AccountCdcSubscriber,
    CatalogNotices,
  ],
  exports: [CatalogCacheService, CatalogService],
})
export class CatalogModule {}
