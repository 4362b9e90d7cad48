import { CacheModule } from '@bff/infra/cache/cache.module';
import { CallersModule } from '@bff/infra/callers/callers.module';
import { APP_CONFIG } from '@bff/infra/config/application-config';
import { LoggingModule } from '@bff/infra/logging/logging.module';
import { ConsumerLeases } from '@bff/infra/fleet/consumer-leases';
import { FleetModule } from '@bff/infra/fleet/fleet.module';
import { ProcessReports } from '@bff/infra/fleet/process-reports';
import { Limits } from '@bff/infra/limits/limits';
import { LimitsModule } from '@bff/infra/limits/limits.module';
import type { RedisClient } from '@bff/infra/redis/redis-client';
import { REDIS_CLIENT, RedisModule } from '@bff/infra/redis/redis.module';
import { SourcesModule } from '@bff/infra/sources/sources.module';
import { SpendLedger } from '@bff/infra/sources/spend-ledger';
import { SalesforceModule } from '@bff/integrations/salesforce/salesforce.module';
import { Inject, Logger, Module, type DynamicModule, type OnApplicationBootstrap } from '@nestjs/common';
import type { AppConfig } from '../config/app-config.js';
import { ConfigModule } from '../config/config.module.js';
import { cacheOptions } from './cache-options.js';
import { fetchAdmission } from './fetch-admission.js';
import { salesforceModuleOptions } from './salesforce-module-options.js';
import { sandboxAbsence } from './sandbox-presence.js';

/**
 * The base of every process: configuration, Redis or the embedded store, what the processes share, the cache, and
 * Salesforce.
 */
@Module({})
export class RuntimeModule implements OnApplicationBootstrap {
  constructor(@Inject(APP_CONFIG) private readonly config: AppConfig) {}

  static forConfig(config: AppConfig): DynamicModule {
    return {
      module: RuntimeModule,
      imports: [
        ConfigModule.forRoot(config),
        CallersModule,
        LoggingModule,
        RedisModule,
        FleetModule.forRootAsync({
          inject: [REDIS_CLIENT],
          useFactory: (redis: RedisClient | null) => ({ redis, appName: config.app.name }),
        }),
        CacheModule.forRootAsync({
          inject: [REDIS_CLIENT, ConsumerLeases, ProcessReports],
          useFactory: (redis: RedisClient | null, leases: ConsumerLeases, reports: ProcessReports) =>
            cacheOptions(config, redis, { leases, reports }),
        }),
        LimitsModule,
        SourcesModule,
        SalesforceModule.forRootAsync({
          isGlobal: true,
          inject: [SpendLedger, Limits],
          useFactory: (spend: SpendLedger, limits: Limits) =>
            salesforceModuleOptions(config, { spend, admit: fetchAdmission(limits) }),
        }),
      ],
    };
  }

  onApplicationBootstrap(): void {
    void this.warnOfAbsentSandbox();
    if (!this.config.cache.usesDemoEncryptionKey) return;
    new Logger('Cache').warn('sensitive entries are encrypted with the published demo key; set CACHE_ENCRYPTION_KEYS');
  }

  /** Warns without failing: the sandbox may start later than this process. */
  private async warnOfAbsentSandbox(): Promise<void> {
    const absence = await sandboxAbsence(this.config);
    if (absence !== undefined) new Logger('Sandbox').warn(absence);
  }
}
