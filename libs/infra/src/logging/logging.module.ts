import { Global, Module } from '@nestjs/common';
import { Audit } from './audit.js';

/** Provides `Audit` to the whole application. */
@Global()
@Module({ providers: [Audit], exports: [Audit] })
export class LoggingModule {}
