import { IdempotencyModule } from '@bff/infra/idempotency/idempotency.module';
import { Module } from '@nestjs/common';
import { CatalogModule } from '../catalog/catalog.module.js';
import { NotificationsModule } from '../notifications/notifications.module.js';
import { OrderCdcSubscriber } from './order-cdc.subscriber.js';
import { OrderNotices } from './order-notices.js';
import { OrderQueries } from './order-queries.js';
import { OvertakenReads } from './overtaken-reads.js';
import { OrdersCacheService } from './orders-cache.service.js';
import { OrdersService } from './orders.service.js';
import { OrderCreation } from './placing/order-creation.js';
import { OrderPlacement } from './placing/order-placement.js';
import { OrderPrices } from './placing/order-prices.js';
import { RequestIdField } from './placing/request-id-field.js';

/**
 * Orders. Needs `CacheService`, `APP_CONFIG`, `RedisModule`, `CallersModule`, `LoggingModule` and `SalesforceClient`
 * from the application.
 */
@Module({
  imports: [CatalogModule, IdempotencyModule, NotificationsModule],
  providers: [
    OrdersCacheService,
    OrderQueries,
    OrderCreation,
    OrderPlacement,
    OrderPrices,
    RequestIdField,
    OrdersService,
    OrderCdcSubscriber,
    OrderNotices,
    OvertakenReads,
  ],
  exports: [OrdersCacheService, OrdersService],
})
export class OrdersModule {}
