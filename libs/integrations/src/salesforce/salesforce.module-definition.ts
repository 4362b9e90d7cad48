import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { CometdOptions } from './events/cometd.options.js';
import type { PubSubOptions } from './events/pubsub.options.js';
import type { Admission } from '@bff/infra/sources/source-gate';
import type { SpendLedger } from '@bff/infra/sources/spend-ledger';
import type { SalesforceOptions } from './salesforce.options.js';

/** Transport and options of change events: the Pub/Sub API unless `transport` names CometD. */
export type EventOptions =
  ({ readonly transport?: 'pubsub' } & PubSubOptions) | ({ readonly transport: 'cometd' } & CometdOptions);

/** Configuration of the Salesforce module. */
export interface SalesforceModuleOptions {
  readonly connection: SalesforceOptions;
  /** @default the Pub/Sub API of Salesforce */
  readonly events?: EventOptions;
  /** Asked before each REST request waits for its turn; its rejection is the request's. @default all are admitted */
  readonly admit?: Admission | undefined;
  /** Requests of each account today, in all processes. @default what this process has sent itself */
  readonly spend?: SpendLedger | undefined;
}

/** `SalesforceModule.forRoot(options)` and `forRootAsync({ useFactory, inject })`; `isGlobal` makes it global. */
export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN: SALESFORCE_MODULE_OPTIONS } =
  new ConfigurableModuleBuilder<SalesforceModuleOptions>()
    .setClassMethodName('forRoot')
    .setExtras({ isGlobal: false }, (definition, { isGlobal }) => ({ ...definition, global: isGlobal }))
    .build();
