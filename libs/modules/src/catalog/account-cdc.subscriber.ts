import { wholeTable, type Dependency } from '@bff/infra/cache/dependencies';
import { APP_CONFIG } from '@bff/infra/config/application-config';
import type { AppConfig } from '../config/app-config.js';
import { isSalesforceId, toSalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import { Inject, Injectable } from '@nestjs/common';
import {
  ChangeSubscriber,
  entitySubscription,
  type EntityRules,
  type Subscription,
} from '../change-events/change-subscriber.js';
import { MappingCacheService } from '../identity/mapping-cache.service.js';
import { CatalogCacheService } from './catalog-cache.service.js';

/**
 * Drops what depends on an account: its eligibility, and the mapping of its user and billing client (`mapping`, found
 * by the account's record). The org's own eligibility event drops the eligibility of the account that it names and
 * nothing else.
 */
@Injectable()
export class AccountCdcSubscriber extends ChangeSubscriber {
  readonly subscriptions: readonly Subscription[];

  constructor(cache: CatalogCacheService, mappings: MappingCacheService, @Inject(APP_CONFIG) config: AppConfig) {
    super();
    this.subscriptions = [
      entitySubscription({ topic: config.events.accountChannel, domain: cache, rules: accountRules(mappings) }),
      eligibilitySubscription(config.events.accountEventChannel, cache),
    ];
  }
}

/** The field that decides which user's mapping contains an account. */
const USER_FIELD = 'Portal_User_Id__c';

/**
 * An account that starts to name a user must drop that user's mapping, which was built from another account or none.
 * The mapping of the user that it named before is found by the account's record. So an account that names no user any
 * more, or is created without one, drops no further mapping. An event that says that the user has changed, but not to
 * whom, drops all mappings.
 */
function accountRules(mappings: MappingCacheService): EntityRules {
  return {
    table: 'Account',
    filteredFields: new Set([USER_FIELD]),
    parents: (fields, changeType) => {
      const user = fields[USER_FIELD];
      if (typeof user === 'string') return [mappings.userMapping(user)].filter((mapping) => mapping !== undefined);
      const isAllTold = changeType === 'CREATE' || changeType === 'UNDELETE';
      return isAllTold || user === null ? [] : undefined;
    },
  };
}

/** The platform event with the field `Account_Id__c`; without a readable id it may mean any account. */
function eligibilitySubscription(topic: string, cache: CatalogCacheService): Subscription {
  const everything: readonly Dependency[] = [wholeTable('Account')];
  return {
    name: 'account eligibility',
    topic,
    domain: cache,
    everything,
    dependencies(event) {
      if (event.kind === 'change') return undefined;
      const account = event.kind === 'platform' ? event.fields['Account_Id__c'] : undefined;
      if (typeof account !== 'string' || !isSalesforceId(account)) return everything;
      return [cache.accountEligibility(toSalesforceId(account))];
    },
  };
}
