import { Global, Module } from '@nestjs/common';
import { Audit } from './audit.js';
import { RequestLines } from './request-lines.js';

/** Provides `Audit` and `RequestLines` to the whole application. */
@Global()
@Module({ providers: [Audit, RequestLines], exports: [Audit, RequestLines] })
export class LoggingModule {}
