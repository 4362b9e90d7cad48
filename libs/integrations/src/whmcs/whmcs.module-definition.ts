import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { WhmcsOptions } from './whmcs.options.js';

/** `WhmcsModule.forRoot(options)` and `forRootAsync({ useFactory, inject })`; `isGlobal` makes it global. */
export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN: WHMCS_MODULE_OPTIONS } =
  new ConfigurableModuleBuilder<WhmcsOptions>()
    .setClassMethodName('forRoot')
    .setExtras({ isGlobal: false }, (definition, { isGlobal }) => ({ ...definition, global: isGlobal }))
    .build();
