import type { ChangeEvent } from '@bff/integrations/salesforce/events/source-event';
import { describe, expect, it } from '@jest/globals';
import { changeEvent } from '../../../../../test/support/change-event.js';
import { AnnouncedValues } from './announced-values.js';
import type { ChangedRow } from '../reconciler/reconciler-rows.js';

const SECOND = 1_000;
const NOW = Date.parse('2026-11-21T10:00:00Z');
const LATER = NOW + 60 * SECOND;
const ACCOUNT = '001000000000001AAA';
const OTHER = '001000000000002AAA';

function row(AccountId: unknown, given: Partial<ChangedRow> = {}): ChangedRow {
  return { id: 'a', isDeleted: false, createdAt: 0, modifiedAt: LATER, fields: { AccountId }, ...given };
}

const event = (given: Partial<ChangeEvent> = {}) =>
  changeEvent({
    recordIds: ['a'],
    changedFields: ['AccountId'],
    commitTimestamp: NOW,
    fields: { AccountId: ACCOUNT },
    ...given,
  });

function afterHearing(...events: ChangeEvent[]): AnnouncedValues {
  const values = new AnnouncedValues('Order', ['AccountId'], 10);
  values.heard(events);
  return values;
}

const status = (given: Partial<ChangeEvent> = {}) =>
  event({ changedFields: ['Status'], fields: { Status: 'Approved' }, commitTimestamp: LATER, ...given });

describe('what decides the lists of a row', () => {
  it('is announced by the event that carried the change, not by a later one of another field', () => {
    const values = afterHearing(event(), status());
    expect(values.tellingOf(row(ACCOUNT))).toBe('told');
    expect(values.tellingOf(row(OTHER))).toBe('different');
    expect(afterHearing(status()).tellingOf(row(ACCOUNT))).toBe('unknown');
  });

  it('is announced by all of a creation and an undeletion, what is empty too', () => {
    for (const changeType of ['CREATE', 'UNDELETE'] as const) {
      expect(afterHearing(event({ changeType, changedFields: undefined })).tellingOf(row(ACCOUNT))).toBe('told');
      const values = afterHearing(event({ changeType, changedFields: undefined, fields: {} }));
      expect(values.tellingOf(row(null))).toBe('told');
      expect(values.tellingOf(row(ACCOUNT))).toBe('different');
    }
  });

  it('is not told by what a channel is enriched with', () => {
    const enriched = status({ fields: { Status: 'Approved', AccountId: OTHER } });
    expect(afterHearing(event(), enriched).tellingOf(row(OTHER))).toBe('different');
  });

  it('is announced by what an update carries where it does not say what changed, or may be anything', () => {
    expect(afterHearing(event({ changedFields: undefined })).tellingOf(row(OTHER))).toBe('different');
    expect(afterHearing(event({ changedFields: undefined, fields: {} })).tellingOf(row(OTHER))).toBe('unknown');
    expect(afterHearing(event(), event({ fields: {} })).tellingOf(row(OTHER))).toBe('unknown');
  });

  it.each(['GAP_UPDATE', 'GAP_CREATE', 'GAP_UNDELETE', 'SNAPSHOT'] as const)(
    'may be anything up to a %s, and is unknown afterwards',
    (changeType) => {
      const values = afterHearing(event(), event({ changeType, commitTimestamp: NOW + SECOND, fields: {} }));
      expect(values.tellingOf(row(OTHER, { modifiedAt: NOW + SECOND }))).toBe('told');
      expect(values.tellingOf(row(ACCOUNT))).toBe('unknown');
    },
  );

  it.each(['DELETE', 'GAP_DELETE'] as const)('is unknown after a %s: what is back has to be listed again', (type) => {
    const values = afterHearing(event(), event({ changeType: type, fields: {} }));
    expect(values.tellingOf(row(ACCOUNT))).toBe('unknown');
    expect(values.tellingOf(row(ACCOUNT, { isDeleted: true }))).toBe('told');
  });

  it('may be anything up to an event for the whole table, and all is unknown afterwards', () => {
    const values = afterHearing(event());
    const { epoch } = values;
    values.heard([event({ scope: 'entity', recordIds: [], commitTimestamp: NOW + SECOND })]);
    expect(values.tellingOf(row(OTHER, { modifiedAt: NOW + SECOND }))).toBe('told');
    expect(values.tellingOf(row(ACCOUNT))).toBe('unknown');
    expect(values.epoch).not.toBe(epoch);
    values.heard([event({ entityName: 'Account', scope: 'entity', recordIds: [], commitTimestamp: LATER })]);
    expect(values.tellingOf(row(ACCOUNT))).toBe('unknown');
  });

  it('counts as announced for a row older than its newest event: what became of it since is known', () => {
    expect(afterHearing(event()).tellingOf(row(OTHER, { modifiedAt: NOW }))).toBe('told');
    expect(afterHearing(event({ commitTimestamp: NOW + 999 })).tellingOf(row(OTHER, { modifiedAt: NOW }))).toBe('told');
  });

  it('is what the newest event says, when older ones come again after a reconnection', () => {
    const moved = event({ fields: { AccountId: OTHER }, commitTimestamp: NOW + SECOND });
    expect(afterHearing(event(), moved, event()).tellingOf(row(OTHER))).toBe('told');
  });

  it('is what was applied, until a row or an event of that second or later shows something else', () => {
    const values = afterHearing();
    values.applied([row(ACCOUNT, { modifiedAt: NOW })]);
    expect(values.tellingOf(row(ACCOUNT))).toBe('told');
    expect(values.tellingOf(row(OTHER, { modifiedAt: NOW }))).toBe('different');
    values.heard([event({ fields: { AccountId: OTHER } })]);
    expect(values.tellingOf(row(OTHER))).toBe('told');
    values.applied([row(ACCOUNT, { modifiedAt: NOW })]);
    expect(values.tellingOf(row(OTHER))).toBe('told');
    values.applied([row(OTHER, { isDeleted: true })]);
    expect(values.tellingOf(row(OTHER))).toBe('unknown');
  });

  it('is the same whichever transport or query brought it', () => {
    const values = afterHearing(event({ fields: { AccountId: ACCOUNT.slice(0, 15) } }));
    expect(values.tellingOf(row(ACCOUNT))).toBe('told');
    for (const empty of [null, undefined, '', false]) {
      expect(afterHearing(event({ fields: { AccountId: empty } })).tellingOf(row(null))).toBe('told');
      expect(afterHearing(event({ fields: { AccountId: empty } })).tellingOf(row(false))).toBe('told');
      expect(afterHearing(event({ fields: { AccountId: empty } })).tellingOf(row(true))).toBe('different');
    }
  });

  it('is of this table, and each field is judged by itself', () => {
    const values = new AnnouncedValues('Product2', ['Family', 'Region__c'], 10);
    values.heard([event()]);
    const product = (Family: string, Region__c: string) => row(undefined, { fields: { Family, Region__c } });
    expect(values.tellingOf(product('SIM', 'Bern'))).toBe('unknown');
    values.heard([event({ entityName: 'Product2', changedFields: ['Family'], fields: { Family: 'SIM' } })]);
    expect(values.tellingOf(product('SIM', 'Bern'))).toBe('unknown');
    expect(values.tellingOf(product('Voice', 'Bern'))).toBe('different');
    values.applied([row(undefined, { modifiedAt: NOW, fields: { Family: 'SIM', Region__c: 'Bern' } })]);
    expect(values.tellingOf(product('SIM', 'Bern'))).toBe('told');
    expect(values.tellingOf(product('SIM', 'Basel'))).toBe('different');
  });

  it('is forgotten first where it was longest neither heard of nor looked at', () => {
    const values = new AnnouncedValues('Order', ['AccountId'], 2);
    values.heard([event(), event({ recordIds: ['b'] })]);
    expect(values.tellingOf(row(ACCOUNT))).toBe('told');
    values.heard([event({ recordIds: ['c'] })]);
    expect(values.tellingOf(row(ACCOUNT, { id: 'b' }))).toBe('unknown');
    expect(values.tellingOf(row(ACCOUNT))).toBe('told');
  });
});
