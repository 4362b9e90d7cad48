import { membership, record } from '@bff/infra/cache/dependencies';
import { SalesforceClient } from '@bff/integrations/salesforce/salesforce.client';
import type { SalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import { soql } from '@bff/integrations/salesforce/soql';
import { Injectable } from '@nestjs/common';
import { CasesCacheService, type CaseSummary } from './cases-cache.service.js';

interface CaseRecord {
  readonly Id: string;
  readonly Subject: string;
  readonly Status: string;
}

@Injectable()
export class CasesService {
  constructor(
    private readonly cache: CasesCacheService,
    private readonly salesforce: SalesforceClient,
  ) {}

  ofAccount(account: SalesforceId): Promise<CaseSummary[]> {
    return this.cache.getCases(account, async ({ dependsOn }) => {
      dependsOn(membership('Case')); // a case that is new to the list, or leaves it
      const rows = await this.salesforce.query<CaseRecord>(
        soql`SELECT Id, Subject, Status FROM Case WHERE AccountId = ${account}`,
      );
      dependsOn(...rows.map((row) => record('Case', row.Id)));
      return rows.map((row) => ({ id: row.Id, subject: row.Subject, status: row.Status }));
    });
  }
}
