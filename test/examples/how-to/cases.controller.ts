import { CasesCacheService, type CaseSummary } from '../cases/cases-cache.service.js';
import type { AccountMapping } from '@bff/modules/identity/identity.types';
import { Controller, Get } from '@nestjs/common';
import { Account } from '../../../apps/bff/src/auth/account.decorator.js';

/** The cases of the caller's account. */
@Controller('api/cases')
export class CasesController {
  constructor(private readonly cases: CasesCacheService) {}

  @Get()
  list(@Account() account: AccountMapping): Promise<CaseSummary[]> {
    return this.cases.ofAccount(account.salesforceAccountId);
  }
}
