import type { ChangeEvent } from '@bff/integrations/salesforce/events/source-event';
import { describe, expect, it } from '@jest/globals';
import { changeEvent } from '../../../../../test/support/change-event.js';
import { Announced } from './announced.js';
import type { ChangedRow } from '../reconciler/reconciler-rows.js';

const SECOND = 1_000;
const NOW = Date.parse('2026-11-21T10:00:00Z');

function row(given: Partial<ChangedRow> = {}): ChangedRow {
  return { id: 'a', isDeleted: false, createdAt: NOW - 3_600 * SECOND, modifiedAt: NOW, fields: {}, ...given };
}

const event = (given: Partial<ChangeEvent> = {}) =>
  changeEvent({ recordIds: ['a'], changedFields: ['Status'], commitTimestamp: NOW, ...given });

function afterHearing(...events: ChangeEvent[]): Announced {
  const announced = new Announced();
  announced.heard(events);
  return announced;
}

const creation = { changeType: 'CREATE', commitTimestamp: NOW - 60 * SECOND } as const;
const isNew = { createdAt: NOW - 60 * SECOND };
const SINCE = NOW - 600 * SECOND;

describe('a row counts as announced', () => {
  it('when an event of it was committed in the second in which it changed, or later', () => {
    expect(afterHearing(event()).covers('Order', row(), SINCE)).toBe(true);
    expect(afterHearing(event({ commitTimestamp: NOW + 999 })).covers('Order', row(), SINCE)).toBe(true);
    expect(afterHearing(event({ commitTimestamp: NOW + 5 * SECOND })).covers('Order', row(), SINCE)).toBe(true);
  });

  it('not by an event of an earlier change, nor by one of another record', () => {
    expect(afterHearing(event({ commitTimestamp: NOW - 1 })).covers('Order', row(), SINCE)).toBe(false);
    expect(afterHearing(event({ recordIds: ['b'] })).covers('Order', row(), SINCE)).toBe(false);
    expect(afterHearing().covers('Order', row(), SINCE)).toBe(false);
  });

  it('by any of the records of a merged event', () => {
    const merged = event({ recordIds: ['b', 'a'] });
    expect(afterHearing(merged).covers('Order', row(), SINCE)).toBe(true);
  });

  it.each([{ scope: 'entity', recordIds: [] }, { changeType: 'GAP_OVERFLOW' }, { recordIds: [] }] as const)(
    'by %j, whichever record of that object it is',
    (given) => {
      const announced = afterHearing(event(given));
      expect(announced.covers('Order', row({ id: 'any' }), SINCE)).toBe(true);
      expect(announced.covers('Order', row({ modifiedAt: NOW + SECOND }), SINCE)).toBe(false);
      expect(announced.covers('Product2', row(), SINCE)).toBe(false);
    },
  );

  it('still, when events come again after a reconnection', () => {
    const announced = afterHearing(event(), event({ commitTimestamp: NOW - 60 * SECOND }));
    expect(announced.covers('Order', row(), SINCE)).toBe(true);
  });

  it('not by a platform event or one that cannot be read', () => {
    const announced = new Announced();
    announced.heard([
      { kind: 'platform', topic: 't', replayId: '1', fields: { Id: 'a' } },
      { kind: 'undecodable', topic: 't', replayId: '2', reason: 'cut off' },
    ]);
    expect(announced.covers('Order', row(), SINCE)).toBe(false);
  });

  it('not as deleted by an update of the same second, nor as present by a deletion', () => {
    expect(afterHearing(event()).covers('Order', row({ isDeleted: true }), SINCE)).toBe(false);
    const deletion = event({ changeType: 'DELETE' });
    expect(afterHearing(deletion).covers('Order', row({ isDeleted: true }), SINCE)).toBe(true);
    expect(afterHearing(deletion).covers('Order', row(), SINCE)).toBe(false);
    const later = event({ changeType: 'DELETE', commitTimestamp: NOW + 999 });
    expect(afterHearing(later).covers('Order', row(), SINCE)).toBe(false);
    const gap = event({ changeType: 'GAP_DELETE' });
    expect(afterHearing(gap).covers('Order', row({ isDeleted: true }), SINCE)).toBe(true);
  });

  it('by a deletion that came after it was read', () => {
    const deletion = event({ changeType: 'DELETE', commitTimestamp: NOW + 5 * SECOND });
    expect(afterHearing(deletion).covers('Order', row(), SINCE)).toBe(true);
  });
});

describe('a new row counts as announced', () => {
  it('not by an update alone: its creation was lost, and no list has it', () => {
    expect(afterHearing(event()).covers('Order', row(isNew), SINCE)).toBe(false);
  });

  it.each(['CREATE', 'UNDELETE', 'GAP_CREATE', 'GAP_UPDATE'] as const)('by a %s before the update', (changeType) => {
    const announced = afterHearing(event({ ...creation, changeType }), event());
    expect(announced.covers('Order', row(isNew), SINCE)).toBe(true);
  });

  it('by an update alone where nobody listened when it was created, or who knows since when', () => {
    expect(afterHearing(event()).covers('Order', row(isNew), NOW - SECOND)).toBe(true);
    expect(afterHearing(event()).covers('Order', row(isNew), undefined)).toBe(true);
  });

  it('by an update alone after an event for the whole table', () => {
    const overflow = event({ scope: 'entity', recordIds: [], commitTimestamp: NOW - 60 * SECOND });
    expect(afterHearing(overflow, event()).covers('Order', row(isNew), SINCE)).toBe(true);
  });

  it('when it is deleted again, and the deletion was heard', () => {
    const deleted = row({ ...isNew, isDeleted: true });
    expect(afterHearing(event({ changeType: 'DELETE' })).covers('Order', deleted, SINCE)).toBe(true);
  });
});

describe('what was applied', () => {
  it('counts as announced, as it was read', () => {
    const announced = afterHearing(event({ changeType: 'DELETE' }));
    announced.applied([row(isNew), row({ id: 'gone', isDeleted: true })]);
    expect(announced.covers('Order', row(isNew), SINCE)).toBe(true);
    expect(announced.covers('Order', row({ id: 'gone', isDeleted: true }), SINCE)).toBe(true);
    expect(announced.covers('Order', row({ modifiedAt: NOW + SECOND }), SINCE)).toBe(false);
  });
});

describe('what is forgotten', () => {
  it('is what was longest neither heard of nor asked for, and is not held against the stream', () => {
    const announced = new Announced(2);
    announced.heard([event({ commitTimestamp: NOW }), event({ recordIds: ['b'], commitTimestamp: NOW + SECOND })]);
    expect(announced.covers('Order', row(), SINCE)).toBe(true);
    announced.heard([event({ recordIds: ['c'], commitTimestamp: NOW + 2 * SECOND })]);
    const b = row({ id: 'b', modifiedAt: NOW + SECOND });
    expect(announced.covers('Order', b, SINCE)).toBe(false);
    expect(announced.mayHaveForgotten(b)).toBe(true);
    expect(announced.covers('Order', row(), SINCE)).toBe(true);
    expect(announced.mayHaveForgotten(row({ modifiedAt: NOW + 2 * SECOND }))).toBe(false);
  });

  it('can be the creation of a row that an update names', () => {
    const announced = new Announced(1);
    announced.heard([event(creation), event({ recordIds: ['b'], commitTimestamp: NOW - SECOND }), event()]);
    expect(announced.covers('Order', row(isNew), SINCE)).toBe(true);
  });
});
