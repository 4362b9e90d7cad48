import { Inject, Logger, Module, type OnApplicationShutdown } from '@nestjs/common';
import { ChangeEventSource } from './events/change-event-source.js';
import { CometdChangeEventSource } from './events/cometd-change-event-source.js';
import { PubSubChangeEventSource } from './events/pubsub-change-event-source.js';
import { JsforceSalesforceClient } from './connection/jsforce-salesforce.client.js';
import { streamLog } from './events/stream-log.js';
import { SalesforceConnection } from './connection/salesforce-connection.js';
import { SalesforceClient } from './salesforce.client.js';
import {
  ConfigurableModuleClass,
  type EventOptions,
  SALESFORCE_MODULE_OPTIONS,
  type SalesforceModuleOptions,
} from './salesforce.module-definition.js';

/**
 * Provides `SalesforceClient` and `ChangeEventSource` over one shared connection. Sends nothing before first use, so an
 * app starts while Salesforce is down. On shutdown it stops the source, then refuses new calls of the client.
 */
@Module({
  providers: [
    {
      provide: SalesforceConnection,
      inject: [SALESFORCE_MODULE_OPTIONS],
      useFactory: (options: SalesforceModuleOptions) => new SalesforceConnection(options.connection),
    },
    {
      provide: SalesforceClient,
      inject: [SalesforceConnection, SALESFORCE_MODULE_OPTIONS],
      useFactory: (connection: SalesforceConnection, { admit, spend }: SalesforceModuleOptions) =>
        new JsforceSalesforceClient(connection, { admit, spend }),
    },
    {
      provide: ChangeEventSource,
      inject: [SalesforceConnection, SALESFORCE_MODULE_OPTIONS],
      useFactory: (connection: SalesforceConnection, options: SalesforceModuleOptions) =>
        changeEventSource(connection, { log: streamLog(new Logger('ChangeEvents')), ...options.events }),
    },
  ],
  exports: [SalesforceClient, ChangeEventSource],
})
export class SalesforceModule extends ConfigurableModuleClass implements OnApplicationShutdown {
  constructor(
    @Inject(SalesforceClient) private readonly client: SalesforceClient,
    @Inject(ChangeEventSource) private readonly events: ChangeEventSource,
  ) {
    super();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.events.stop();
    if (this.client instanceof JsforceSalesforceClient) this.client.close();
  }
}

function changeEventSource(connection: SalesforceConnection, options: EventOptions): ChangeEventSource {
  if (options.transport === 'cometd') return new CometdChangeEventSource(connection, options);
  return new PubSubChangeEventSource(connection, options);
}
