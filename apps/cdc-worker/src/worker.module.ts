import type { AppConfig } from '@bff/modules/config/app-config';
import { HealthModule } from '@bff/infra/health/health.module';
import { CHANGE_DRIVEN_MODULES } from '@bff/modules/change-driven-modules';
import { ChangeEventsModule } from '@bff/modules/change-events/change-events.module';
import { EventsHealthModule } from '@bff/modules/change-events/events-health.module';
import { RequestLines } from '@bff/infra/logging/request-lines';
import { logOptions } from '@bff/modules/runtime/log-options';
import { RuntimeModule } from '@bff/modules/runtime/runtime.module';
import { Module, type DynamicModule } from '@nestjs/common';
import { LoggerModule } from 'nestjs-pino';

/** The modules whose subscribers run in the worker, the consumer that feeds them, and its health. */
@Module({})
export class WorkerModule {
  static forConfig(config: AppConfig): DynamicModule {
    return {
      module: WorkerModule,
      imports: [
        LoggerModule.forRootAsync({
          inject: [RequestLines],
          useFactory: (lines: RequestLines) => logOptions(config, lines),
        }),
        RuntimeModule.forConfig(config),
        HealthModule,
        ...CHANGE_DRIVEN_MODULES,
        ChangeEventsModule,
        EventsHealthModule,
      ],
    };
  }
}
