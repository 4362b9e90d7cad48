import { namespace, wholeTable, type Dependency } from '@bff/infra/cache/dependencies';
import { isSalesforceId, toSalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import { Injectable } from '@nestjs/common';
import { AppliedChangeListener, sourceOf, type AppliedChange } from '../change-events/applied-change.js';
import { usersOfAccount, type Notification } from '../notifications/notification.types.js';
import { Notifications } from '../notifications/notifications.service.js';
import { CatalogCacheService } from './catalog-cache.service.js';

const TABLES: ReadonlySet<string> = new Set(['Product2', 'PricebookEntry']);
const WHOLE_CATALOG: ReadonlySet<Dependency> = new Set([...[...TABLES].map(wholeTable), namespace('catalog')]);

/**
 * Notifies all users when the catalog changed, which they share, and an account's users when its eligibility may have
 * changed. If it is unknown whose eligibility may have changed, it notifies all users of that, too.
 */
@Injectable()
export class CatalogNotices extends AppliedChangeListener {
  constructor(
    private readonly cache: CatalogCacheService,
    private readonly notifications: Notifications,
  ) {
    super();
  }

  onApplied(changes: readonly AppliedChange[]): Promise<void> {
    return this.notifications.tell(changes.flatMap((change) => [...ofCatalog(change), ...this.ofEligibility(change)]));
  }

  private ofEligibility({ event, dependencies, keys }: AppliedChange): Notification[] {
    const source = sourceOf(event);
    if (dependencies.includes(wholeTable('Account'))) return [{ name: 'eligibility.changed', audience: null, source }];
    const records = event?.kind === 'change' && event.entityName === 'Account' ? event.recordIds : [];
    const accounts = new Set([
      ...records.filter(isSalesforceId).map(toSalesforceId),
      ...keys.map((key) => this.cache.eligibilityOwner(key)).filter((owner) => owner !== undefined),
    ]);
    return [...accounts].map((account) => ({
      name: 'eligibility.changed',
      audience: usersOfAccount(account),
      source,
    }));
  }
}

function ofCatalog({ event, dependencies }: AppliedChange): Notification[] {
  const isOfCatalog = event?.kind === 'change' && TABLES.has(event.entityName);
  if (!isOfCatalog && !dependencies.some((d) => WHOLE_CATALOG.has(d))) return [];
  return [{ name: 'catalog.changed', audience: null, source: sourceOf(event) }];
}
