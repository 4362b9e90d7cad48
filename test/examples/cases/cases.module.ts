import { Module } from '@nestjs/common';
import { CaseCdcSubscriber } from './case-cdc.subscriber.js';
import { CasesCacheService } from './cases-cache.service.js';
import { CasesService } from './cases.service.js';

@Module({ providers: [CasesCacheService, CasesService, CaseCdcSubscriber], exports: [CasesCacheService, CasesService] })
export class CasesModule {}
