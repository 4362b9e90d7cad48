import { membership, record, wholeTable } from '@bff/infra/cache/dependencies';
import type { ChangeEvent } from '@bff/integrations/salesforce/events/source-event';
import { describe, expect, it } from '@jest/globals';
import { changeEvent } from '../../../../test/support/change-event.js';
import { eventDependencies, type EntityRules } from './change-subscriber.js';

const ORDER = '801000000000001AAA';
const RULES: EntityRules = {
  table: 'Order',
  internalFields: new Set(['Activation_Status__c', 'WHMCS_Order_ID__c']),
  filteredFields: new Set(['AccountId']),
  parents: ({ AccountId }) => (typeof AccountId === 'string' ? [record('List', AccountId)] : undefined),
};
const WITHOUT_PARENTS: EntityRules = { table: 'Product2', filteredFields: new Set(['Family']) };

const event = (given: Partial<ChangeEvent>) => changeEvent({ recordIds: [ORDER], ...given });

describe('what a change event makes wrong', () => {
  it('[P3] is nothing when only internal fields changed', () => {
    const changedFields = ['Activation_Status__c', 'LastModifiedDate', 'SystemModstamp'];
    expect(eventDependencies(event({ changedFields }), RULES)).toEqual([]);
  });

  it('[P4] is the record when a shown field changed beside internal ones', () => {
    const changedFields = ['Activation_Status__c', 'Status'];
    expect(eventDependencies(event({ changedFields }), RULES)).toEqual([record('Order', ORDER)]);
  });

  it('is the record when a field changed that nobody thought of', () => {
    expect(eventDependencies(event({ changedFields: ['Brand_New__c'] }), RULES)).toEqual([record('Order', ORDER)]);
  });

  it.each([undefined, []])('is at least the record when the event does not tell what changed (%p)', (changedFields) => {
    expect(eventDependencies(event({ changedFields, fields: { Status: 'Draft' } }), RULES)).toEqual([
      record('Order', ORDER),
    ]);
    expect(eventDependencies(event({ changedFields }), RULES)).toEqual([record('Order', ORDER), membership('Order')]);
  });

  it('[P5] is the record and its new list when a row moves', () => {
    const moved = event({ changedFields: ['AccountId'], fields: { AccountId: 'B' } });
    expect(eventDependencies(moved, RULES)).toEqual([record('Order', ORDER), record('List', 'B')]);
    const unknown = event({ changedFields: ['AccountId'] });
    expect(eventDependencies(unknown, RULES)).toEqual([record('Order', ORDER), membership('Order')]);
  });

  it.each(['CREATE', 'UNDELETE'] as const)('[P7] is the parents, or all lists, on %s', (changeType) => {
    expect(eventDependencies(event({ changeType, fields: { AccountId: 'A' } }), RULES)).toEqual([
      record('Order', ORDER),
      record('List', 'A'),
    ]);
    expect(eventDependencies(event({ changeType }), RULES)).toEqual([record('Order', ORDER), membership('Order')]);
  });

  it('[P7] is the record alone on DELETE', () => {
    expect(eventDependencies(event({ changeType: 'DELETE' }), RULES)).toEqual([record('Order', ORDER)]);
  });

  it('names every record of a merged event', () => {
    const recordIds = [ORDER, '801000000000002AAA'];
    expect(eventDependencies(event({ recordIds, changedFields: ['Status'] }), RULES)).toEqual(
      recordIds.map((id) => record('Order', id)),
    );
  });

  it('[P9] [E9] adds all lists when a filtered field changed and no parent is known', () => {
    const dependencies = (field: string) => eventDependencies(event({ changedFields: [field] }), WITHOUT_PARENTS);
    expect(dependencies('Name')).toEqual([record('Product2', ORDER)]);
    expect(dependencies('Family')).toEqual([record('Product2', ORDER), membership('Product2')]);
  });

  it.each(['GAP_CREATE', 'GAP_UPDATE', 'GAP_DELETE', 'GAP_UNDELETE', 'SNAPSHOT'] as const)(
    'is the records and the membership for %s',
    (changeType) => {
      expect(eventDependencies(event({ changeType }), RULES)).toEqual([record('Order', ORDER), membership('Order')]);
    },
  );

  it('is the whole table when the records are not known', () => {
    expect(eventDependencies(event({ changeType: 'GAP_OVERFLOW' }), RULES)).toEqual([wholeTable('Order')]);
    expect(eventDependencies(event({ scope: 'entity', recordIds: [] }), RULES)).toEqual([wholeTable('Order')]);
    expect(eventDependencies(event({ recordIds: [] }), RULES)).toEqual([wholeTable('Order')]);
  });
});
