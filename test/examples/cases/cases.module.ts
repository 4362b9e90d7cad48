import { Module } from '@nestjs/common';
import { CaseCdcSubscriber } from './case-cdc.subscriber.js';
import { CasesCacheService } from './cases-cache.service.js';

@Module({ providers: [CasesCacheService, CaseCdcSubscriber], exports: [CasesCacheService] })
export class CasesModule {}
