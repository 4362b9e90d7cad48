import { namespace, record } from '@bff/infra/cache/dependencies';
import { APP_CONFIG } from '@bff/infra/config/application-config';
import type { AppConfig } from '../config/app-config.js';
import { isSalesforceId, toSalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import { Inject, Injectable } from '@nestjs/common';
import { ChangeSubscriber, entitySubscription, type Subscription } from '../change-events/change-subscriber.js';
import { OrdersCacheService } from './orders-cache.service.js';

/** Fields that provisioning writes while it works; customers see none of them. */
export const INTERNAL_ORDER_FIELDS: ReadonlySet<string> = new Set([
  'Activation_Status__c',
  'WHMCS_Order_ID__c',
  'Activation_Error_Code__c',
  'Activation_Error_Message__c',
  'Activation_Last_Attempt_At__c',
]);

/**
 * Drops what an order or order item change made wrong: its detail, and its account's list. Lists are found by the
 * records they show, except for an order that is new to a list: its event names the account (if it does not, all lists
 * are dropped).
 */
@Injectable()
export class OrderCdcSubscriber extends ChangeSubscriber {
  readonly subscriptions: readonly Subscription[];

  constructor(cache: OrdersCacheService, @Inject(APP_CONFIG) config: AppConfig) {
    super();
    const alsoOnGap = [namespace('orders')];
    this.subscriptions = [
      entitySubscription({
        topic: config.events.orderChannel,
        domain: cache,
        alsoOnGap,
        rules: {
          table: 'Order',
          internalFields: INTERNAL_ORDER_FIELDS,
          filteredFields: new Set(['AccountId']),
          parents: ({ AccountId: account }) =>
            typeof account === 'string' && isSalesforceId(account)
              ? [cache.accountList(toSalesforceId(account))]
              : undefined,
        },
      }),
      entitySubscription({
        topic: config.events.orderItemChannel,
        domain: cache,
        alsoOnGap,
        rules: {
          table: 'OrderItem',
          parents: ({ OrderId: order }) =>
            typeof order === 'string' && isSalesforceId(order) ? [record('Order', toSalesforceId(order))] : undefined,
        },
      }),
    ];
  }
}
