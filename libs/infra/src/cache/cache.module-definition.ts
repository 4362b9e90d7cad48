import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { CreateCacheOptions } from './create-cache.js';

export const {
  ConfigurableModuleClass: ConfigurableCacheModule,
  MODULE_OPTIONS_TOKEN: CACHE_OPTIONS,
  ASYNC_OPTIONS_TYPE: CACHE_ASYNC_OPTIONS,
} = new ConfigurableModuleBuilder<CreateCacheOptions>().setClassMethodName('forRoot').build();
