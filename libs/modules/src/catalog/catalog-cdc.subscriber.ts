import { namespace, record } from '@bff/infra/cache/dependencies';
import { APP_CONFIG } from '@bff/infra/config/application-config';
import type { AppConfig } from '../config/app-config.js';
import { isSalesforceId, toSalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import { Inject, Injectable } from '@nestjs/common';
import { ChangeSubscriber, entitySubscription, type Subscription } from '../change-events/change-subscriber.js';
import { CatalogCacheService } from './catalog-cache.service.js';

/** Salesforce writes these when a user views a product. */
const INTERNAL_PRODUCT_FIELDS: ReadonlySet<string> = new Set(['LastViewedDate', 'LastReferencedDate']);

/** Fields that decide which lists a product is in. */
const FILTERED_PRODUCT_FIELDS: ReadonlySet<string> = new Set(['Family', 'IsActive', 'Region__c']);

/**
 * Drops the catalog entries that a product or price change made wrong. A product that no entry shows yet (a new one, or
 * one that moved between lists) drops every entry that lists products, because the list that it joins is unknown.
 */
@Injectable()
export class CatalogCdcSubscriber extends ChangeSubscriber {
  readonly subscriptions: readonly Subscription[];

  constructor(cache: CatalogCacheService, @Inject(APP_CONFIG) config: AppConfig) {
    super();
    const alsoOnGap = [namespace('catalog')];
    this.subscriptions = [
      entitySubscription({
        topic: config.events.productChannel,
        domain: cache,
        alsoOnGap,
        rules: {
          table: 'Product2',
          internalFields: INTERNAL_PRODUCT_FIELDS,
          filteredFields: FILTERED_PRODUCT_FIELDS,
        },
      }),
      entitySubscription({
        topic: config.events.pricebookEntryChannel,
        domain: cache,
        alsoOnGap,
        rules: {
          table: 'PricebookEntry',
          parents: ({ Product2Id: product }) =>
            typeof product === 'string' && isSalesforceId(product)
              ? [record('Product2', toSalesforceId(product))]
              : undefined,
        },
      }),
    ];
  }
}
