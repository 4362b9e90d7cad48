import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { Readiness } from './readiness.js';
import { StoreHealth } from './store.health.js';

/** The providers of health endpoints. Needs `CacheModule`, `RedisModule` and `APP_CONFIG` from the application. */
@Module({
  imports: [TerminusModule.forRoot({ errorLogStyle: 'json' })],
  providers: [StoreHealth, Readiness],
  exports: [StoreHealth, Readiness, TerminusModule],
})
export class HealthModule {}
