import { ChangeSubscriber, entitySubscription } from '@bff/modules/change-events/change-subscriber';
import { Injectable } from '@nestjs/common';
import { CasesCacheService } from './cases-cache.service.js';

/** Drops the lists that show a case which changed, and all of them when a case appears or moves to another account. */
@Injectable()
export class CaseCdcSubscriber extends ChangeSubscriber {
  readonly subscriptions = [
    entitySubscription({
      topic: '/data/CaseChangeEvent',
      rules: {
        table: 'Case',
        internalFields: new Set(['Routing_Note__c']), // no entry shows it: its changes drop nothing
        filteredFields: new Set(['AccountId']), // decides in which list a case is
      },
      invalidate: (dependencies, events) => this.cache.invalidateDependencies(dependencies, events),
    }),
  ];

  constructor(private readonly cache: CasesCacheService) {
    super();
  }
}
