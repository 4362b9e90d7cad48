import { Module } from '@nestjs/common';
import { OrderCdcSubscriber } from './order-cdc.subscriber.js';
import { OrderCreation } from './order-creation.js';
import { OrderQueries } from './order-queries.js';
import { OrdersCacheService } from './orders-cache.service.js';
import { OrdersService } from './orders.service.js';

/** Orders. Needs `CacheService`, `APP_CONFIG` and `SalesforceClient` from the application. */
@Module({
  providers: [OrdersCacheService, OrderQueries, OrderCreation, OrdersService, OrderCdcSubscriber],
  exports: [OrdersCacheService, OrdersService],
})
export class OrdersModule {}
