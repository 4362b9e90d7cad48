import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { HttpWhmcsClient } from './http-whmcs.client.js';
import { WhmcsClient } from './whmcs.client.js';
import { ConfigurableModuleClass, WHMCS_MODULE_OPTIONS } from './whmcs.module-definition.js';
import type { WhmcsOptions } from './whmcs.options.js';

/** Provides `WhmcsClient`. Sends nothing before first use; on shutdown it refuses new calls. */
@Module({
  providers: [
    {
      provide: WhmcsClient,
      inject: [WHMCS_MODULE_OPTIONS],
      useFactory: (options: WhmcsOptions) => new HttpWhmcsClient(options),
    },
  ],
  exports: [WhmcsClient],
})
export class WhmcsModule extends ConfigurableModuleClass implements OnApplicationShutdown {
  constructor(@Inject(WhmcsClient) private readonly client: WhmcsClient) {
    super();
  }

  onApplicationShutdown(): void {
    if (this.client instanceof HttpWhmcsClient) this.client.close();
  }
}
