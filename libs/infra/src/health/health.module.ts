import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { APP_CONFIG } from '../config/application-config.js';
import { Operators, type OperatorConfig } from './operators.js';
import { Readiness } from './readiness.js';
import { StoreHealth } from './store.health.js';

/** The providers of health endpoints. Needs `CacheModule`, `RedisModule` and `APP_CONFIG` from the application. */
@Module({
  imports: [TerminusModule.forRoot({ errorLogStyle: 'json' })],
  providers: [
    StoreHealth,
    Readiness,
    {
      provide: Operators,
      inject: [APP_CONFIG],
      useFactory: ({ operator }: { readonly operator: OperatorConfig }) => new Operators(operator),
    },
  ],
  exports: [StoreHealth, Readiness, Operators, TerminusModule],
})
export class HealthModule {}
