import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { CometdOptions } from './events/cometd.options.js';
import type { SalesforceOptions } from './salesforce.options.js';

/** What the Salesforce module is configured with. */
export interface SalesforceModuleOptions {
  readonly connection: SalesforceOptions;
  readonly events?: CometdOptions;
}

/** `SalesforceModule.forRoot(options)` and `forRootAsync({ useFactory, inject })`; `isGlobal` makes it visible everywhere. */
export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN: SALESFORCE_MODULE_OPTIONS } =
  new ConfigurableModuleBuilder<SalesforceModuleOptions>()
    .setClassMethodName('forRoot')
    .setExtras({ isGlobal: false }, (definition, { isGlobal }) => ({ ...definition, global: isGlobal }))
    .build();
