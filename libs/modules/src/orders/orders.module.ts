import { Module } from '@nestjs/common';
import { NotificationsModule } from '../notifications/notifications.module.js';
import { OrderCdcSubscriber } from './order-cdc.subscriber.js';
import { OrderCreation } from './order-creation.js';
import { OrderNotices } from './order-notices.js';
import { OrderQueries } from './order-queries.js';
import { OvertakenReads } from './overtaken-reads.js';
import { OrdersCacheService } from './orders-cache.service.js';
import { OrdersService } from './orders.service.js';

/** Orders. Needs `CacheService`, `APP_CONFIG`, `RedisModule` and `SalesforceClient` from the application. */
@Module({
  imports: [NotificationsModule],
  providers: [
    OrdersCacheService,
    OrderQueries,
    OrderCreation,
    OrdersService,
    OrderCdcSubscriber,
    OrderNotices,
    OvertakenReads,
  ],
  exports: [OrdersCacheService, OrdersService],
})
export class OrdersModule {}
