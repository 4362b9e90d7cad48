import { APP_CONFIG } from '@bff/infra/config/application-config';
import { Module, type DynamicModule } from '@nestjs/common';
import type { AppConfig } from './app-config.js';
import { loadConfig } from './load-config.js';

/**
 * Provides the one {@link AppConfig} of the application everywhere under {@link APP_CONFIG}. A bad configuration throws
 * before any other provider is made.
 */
@Module({})
export class ConfigModule {
  /** @default config read from the environment of the process */
  static forRoot(config: AppConfig = loadConfig()): DynamicModule {
    return {
      module: ConfigModule,
      global: true,
      providers: [{ provide: APP_CONFIG, useValue: config }],
      exports: [APP_CONFIG],
    };
  }
}
