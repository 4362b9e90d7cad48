import { Global, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { Checkpoints } from './checkpoints.js';
import { ConsumerLeases } from './consumer-leases.js';
import { createFleet, type Fleet, type FleetOptions } from './create-fleet.js';
import { ConfigurableFleetModule, FLEET_OPTIONS } from './fleet.module-definition.js';
import { ProcessReports } from './process-reports.js';

const FLEET = Symbol('FLEET');

/**
 * Provides what the processes of an application share. Import it after `RedisModule` and before `CacheModule`: Nest
 * shuts global modules down in reverse order, so the reports close after the cache and while Redis is still connected.
 */
@Global()
@Module({
  providers: [
    { provide: FLEET, inject: [FLEET_OPTIONS], useFactory: (options: FleetOptions) => createFleet(options) },
    { provide: Checkpoints, inject: [FLEET], useFactory: (fleet: Fleet) => fleet.checkpoints },
    { provide: ConsumerLeases, inject: [FLEET], useFactory: (fleet: Fleet) => fleet.leases },
    { provide: ProcessReports, inject: [FLEET], useFactory: (fleet: Fleet) => fleet.reports },
  ],
  exports: [Checkpoints, ConsumerLeases, ProcessReports],
})
export class FleetModule extends ConfigurableFleetModule implements OnApplicationShutdown {
  constructor(@Inject(ProcessReports) private readonly reports: ProcessReports) {
    super();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.reports.close();
  }
}
