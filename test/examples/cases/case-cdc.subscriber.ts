import { Injectable } from '@nestjs/common';
import { ChangeSubscriber, entitySubscription, type Subscription } from '@bff/modules/change-events/change-subscriber';
import { CasesCacheService } from './cases-cache.service.js';

/** Drops the lists that show a case which changed, and all of them when a case appears or moves to another account. */
@Injectable()
export class CaseCdcSubscriber extends ChangeSubscriber {
  readonly subscriptions: readonly Subscription[];

  constructor(cache: CasesCacheService) {
    super();
    this.subscriptions = [
      entitySubscription({
        topic: '/data/CaseChangeEvent',
        domain: cache, // counts the events
        rules: {
          table: 'Case',
          internalFields: new Set(['Routing_Note__c']), // no entry shows it: its changes drop nothing
          filteredFields: new Set(['AccountId']), // decides in which list a case is
        },
      }),
    ];
  }
}
