import type { AppConfig } from '@bff/modules/config/app-config';
import { HealthModule } from '@bff/infra/health/health.module';
import { NoncesModule } from '@bff/infra/nonces/nonces.module';
import { isRedisConfigured } from '@bff/infra/redis/redis-client';
import { Limits } from '@bff/infra/limits/limits';
import { WhmcsModule } from '@bff/integrations/whmcs/whmcs.module';
import { BillingModule } from '@bff/modules/billing/billing.module';
import { CHANGE_DRIVEN_MODULES } from '@bff/modules/change-driven-modules';
import { ChangeEventsModule } from '@bff/modules/change-events/change-events.module';
import { EventsHealthModule } from '@bff/modules/change-events/events-health.module';
import { IdentityModule } from '@bff/modules/identity/identity.module';
import { NotificationsModule } from '@bff/modules/notifications/notifications.module';
import { fetchAdmission } from '@bff/modules/runtime/fetch-admission';
import { RequestLines } from '@bff/infra/logging/request-lines';
import { logOptions } from '@bff/modules/runtime/log-options';
import { RuntimeModule } from '@bff/modules/runtime/runtime.module';
import { Module, type DynamicModule } from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import { LoggerModule } from 'nestjs-pino';
import { AccountGate } from './auth/account-gate.js';
import { TokenVerifier } from './auth/token-verifier.js';
import { BillingController } from './billing/billing.controller.js';
import { CatalogController } from './catalog/catalog.controller.js';
import { EventStreams } from './events/event-streams.js';
import { EventsController } from './events/events.controller.js';
import { HealthController } from './health/health.controller.js';
import { OverallHealthService } from './health/overall-health.js';
import { QueryNamesGuard } from './http/query-names.guard.js';
import { LimitGate } from './limits/limit-gate.js';
import { RefusalDelay } from './limits/refusal-delay.js';
import { OrdersController } from './orders/orders.controller.js';
import { ProblemFilter } from './problems/problem.filter.js';
import { WhmcsWebhookController } from './webhooks/whmcs-webhook.controller.js';

/**
 * The HTTP API. With the embedded store it consumes change events itself, because no other process can reach the
 * entries; with Redis, `cdc-worker` does.
 */
@Module({})
export class AppModule {
  static forConfig(config: AppConfig): DynamicModule {
    const isEmbedded = !isRedisConfigured(config.redis);
    const { apiUrl, webhook, ...whmcs } = config.whmcs;
    return {
      module: AppModule,
      imports: [
        LoggerModule.forRootAsync({
          inject: [RequestLines],
          useFactory: (lines: RequestLines) => logOptions(config, lines),
        }),
        RuntimeModule.forConfig(config),
        WhmcsModule.forRootAsync({
          isGlobal: true,
          inject: [Limits],
          useFactory: (limits: Limits) => ({ url: apiUrl, ...whmcs, admit: fetchAdmission(limits) }),
        }),
        HealthModule,
        NotificationsModule,
        NoncesModule,
        IdentityModule,
        ...CHANGE_DRIVEN_MODULES,
        BillingModule,
        EventsHealthModule,
        ...(isEmbedded ? [ChangeEventsModule] : []),
      ],
      controllers: [
        CatalogController,
        OrdersController,
        BillingController,
        EventsController,
        HealthController,
        ...(webhook.secret === undefined ? [] : [WhmcsWebhookController]),
      ],
      providers: [
        TokenVerifier,
        AccountGate,
        LimitGate,
        RefusalDelay,
        EventStreams,
        OverallHealthService,
        { provide: APP_GUARD, useClass: QueryNamesGuard },
        { provide: APP_FILTER, useClass: ProblemFilter },
      ],
    };
  }
}
