import { Module } from '@nestjs/common';
import { BillingService } from './billing.service.js';
import { WhmcsCacheService } from './whmcs-cache.service.js';

/** Invoices, subscriptions and payment methods. Needs `CacheService` and `WhmcsClient` from the application. */
@Module({
  providers: [WhmcsCacheService, BillingService],
  exports: [WhmcsCacheService, BillingService],
})
export class BillingModule {}
