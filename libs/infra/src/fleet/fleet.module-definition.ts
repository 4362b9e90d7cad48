import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { FleetOptions } from './create-fleet.js';

export const {
  ConfigurableModuleClass: ConfigurableFleetModule,
  MODULE_OPTIONS_TOKEN: FLEET_OPTIONS,
  ASYNC_OPTIONS_TYPE: FLEET_ASYNC_OPTIONS,
} = new ConfigurableModuleBuilder<FleetOptions>().setClassMethodName('forRoot').build();
