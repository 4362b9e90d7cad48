import { composeCache } from '@bff/infra/cache/create-cache';
import { record, wholeTable } from '@bff/infra/cache/dependencies';
import { loadConfig } from '../config/load-config.js';
import type { ChangeEvent } from '@bff/integrations/salesforce/events/source-event';
import { toSalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import { describe, expect, it } from '@jest/globals';
import { changeEvent } from '../../../../test/support/change-event.js';
import { OrderCdcSubscriber } from './order-cdc.subscriber.js';
import { OrdersCacheService } from './orders-cache.service.js';

const ACCOUNT = toSalesforceId('001000000000001');
const ORDER = toSalesforceId('801000000000001');
const ITEM = toSalesforceId('802000000000001');
const cache = new OrdersCacheService(composeCache({}));
const [orders, items] = new OrderCdcSubscriber(cache, loadConfig({})).subscriptions;

const event = (given: Partial<ChangeEvent>) => changeEvent({ recordIds: [ORDER], ...given });

describe('order changes', () => {
  it('[P3] change nothing that is shown while provisioning works', () => {
    const changedFields = ['Activation_Status__c', 'Activation_Error_Code__c', 'WHMCS_Order_ID__c', 'LastModifiedDate'];
    expect(orders?.dependencies(event({ changedFields }))).toEqual([]);
  });

  it('[P7] concern the list of the account that a new order names, with a 15-character id too', () => {
    const created = event({ changeType: 'CREATE', fields: { AccountId: '001000000000001' } });
    expect(orders?.dependencies(created)).toEqual([record('Order', ORDER), cache.accountList(ACCOUNT)]);
  });

  it('[P5] concern both lists when an order moves to another account', () => {
    const moved = event({ changedFields: ['AccountId'], fields: { AccountId: ACCOUNT } });
    expect(orders?.dependencies(moved)).toEqual([record('Order', ORDER), cache.accountList(ACCOUNT)]);
  });

  it('leave events of other objects to others', () => {
    expect(orders?.dependencies(event({ entityName: 'Product2' }))).toBeUndefined();
  });

  it('concern the whole table when the event cannot be read', () => {
    const unreadable = { kind: 'undecodable', topic: '/data/OrderChangeEvent', replayId: '1', reason: 'x' } as const;
    expect(orders?.dependencies(unreadable)).toContain(wholeTable('Order'));
  });
});

describe('order item changes', () => {
  const item = (given: Partial<ChangeEvent>) => event({ entityName: 'OrderItem', recordIds: [ITEM], ...given });

  it('[P6] find their order by the item when they do not name it', () => {
    expect(items?.dependencies(item({ changedFields: ['Quantity'] }))).toEqual([record('OrderItem', ITEM)]);
    expect(items?.dependencies(item({ changeType: 'DELETE' }))).toEqual([record('OrderItem', ITEM)]);
  });

  it('[P6] [P7] concern the order that a new item names', () => {
    const created = item({ changeType: 'CREATE', fields: { OrderId: ORDER } });
    expect(items?.dependencies(created)).toEqual([record('OrderItem', ITEM), record('Order', ORDER)]);
  });
});
