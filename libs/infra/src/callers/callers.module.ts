import { Global, Module } from '@nestjs/common';
import { APP_CONFIG } from '../config/application-config.js';
import { Pseudonyms } from './pseudonyms.js';

/** Provides `Pseudonyms` with the configured key to the whole application. Needs `APP_CONFIG` from it. */
@Global()
@Module({
  providers: [
    {
      provide: Pseudonyms,
      inject: [APP_CONFIG],
      useFactory: ({ auth }: { readonly auth: { readonly pseudonymKey: string } }) => new Pseudonyms(auth.pseudonymKey),
    },
  ],
  exports: [Pseudonyms],
})
export class CallersModule {}
