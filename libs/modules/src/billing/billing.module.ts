import { Module } from '@nestjs/common';
import { NotificationsModule } from '../notifications/notifications.module.js';
import { BillingChanges } from './billing-changes.js';
import { BillingService } from './billing.service.js';
import { WhmcsCacheService } from './whmcs-cache.service.js';

/** Invoices, subscriptions and payment methods. Needs `CacheService`, `WhmcsClient`, `RedisModule` and `APP_CONFIG`. */
@Module({
  imports: [NotificationsModule],
  providers: [WhmcsCacheService, BillingService, BillingChanges],
  exports: [WhmcsCacheService, BillingService, BillingChanges],
})
export class BillingModule {}
