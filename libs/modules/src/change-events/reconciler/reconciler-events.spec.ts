import { membership, record, wholeTable } from '@bff/infra/cache/dependencies';
import { toSalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import { describe, expect, it } from '@jest/globals';
import { eventDependencies } from '../change-subscriber.js';
import { gapEvents, moveEvents, overflowEvent } from './reconciler-events.js';
import type { ChangedRow } from './reconciler-rows.js';

const ORIGIN = { table: 'Order', topic: '/data/OrderChangeEvent' };
const RULES = { table: 'Order', internalFields: new Set(['Description']) };

function row(n: number, isDeleted = false, fields = {}): ChangedRow {
  return {
    id: toSalesforceId(`801${String(n).padStart(12, '0')}`),
    isDeleted,
    createdAt: 0,
    modifiedAt: n * 1_000,
    fields,
  };
}

describe('the events of rows that no event announced', () => {
  it('make the subscribers drop the records and the membership, whatever was changed', () => {
    const events = gapEvents([row(1), row(2, true)], ORIGIN);
    expect(events.map(({ changeType, recordIds }) => [changeType, recordIds])).toEqual([
      ['GAP_DELETE', [row(2).id]],
      ['GAP_UPDATE', [row(1).id]],
    ]);
    expect(events.map((event) => eventDependencies(event, RULES))).toEqual([
      [record('Order', row(2).id), membership('Order')],
      [record('Order', row(1).id), membership('Order')],
    ]);
  });

  it('hold hundreds of rows each', () => {
    const events = gapEvents(
      Array.from({ length: 1_200 }, (_, n) => row(n)),
      ORIGIN,
    );
    expect(events.map(({ recordIds }) => recordIds.length)).toEqual([500, 500, 200]);
    expect(events[0]).toMatchObject({ topic: ORIGIN.topic, commitTimestamp: 499_000, scope: 'records', fields: {} });
  });

  it('have replay ids that are nobody’s position, the same for the same rows and no others', () => {
    const ids = (...rows: ChangedRow[]) => gapEvents(rows, ORIGIN).map(({ replayId }) => replayId);
    expect(ids(row(1), row(2))).toEqual(ids(row(1), row(2)));
    expect(new Set([...ids(row(1), row(2)), ...ids(row(1)), ...ids(row(2)), ...ids(row(1), row(3))]).size).toBe(4);
    expect(ids(row(1))[0]).toMatch(/^reconciler /);
  });

  it('are updates of what decides lists where only that is in doubt, one for each of the values', () => {
    const rules = { table: 'Order', filteredFields: new Set(['AccountId']) };
    const rows = [
      row(1, false, { AccountId: 'a' }),
      row(2, false, { AccountId: 'b' }),
      row(3, false, { AccountId: 'a' }),
    ];
    const events = moveEvents(rows, ['AccountId'], ORIGIN);
    expect(events).toEqual([
      expect.objectContaining({ changeType: 'UPDATE', fields: { AccountId: 'a' }, recordIds: [row(1).id, row(3).id] }),
      expect.objectContaining({ changeType: 'UPDATE', fields: { AccountId: 'b' }, recordIds: [row(2).id] }),
    ]);
    for (const { changedFields } of events) expect(changedFields).toEqual(['AccountId']);
    expect(events.flatMap((event) => eventDependencies(event, rules))).toContain(membership('Order'));
    expect(events.map(({ replayId }) => replayId)).not.toContain(gapEvents([row(2)], ORIGIN)[0]?.replayId);
  });

  it('are one for the whole table where there are too many', () => {
    const event = overflowEvent(5_000, ORIGIN);
    expect(event).toMatchObject({ recordIds: [], scope: 'entity', commitTimestamp: 5_000 });
    expect(eventDependencies(event, RULES)).toEqual([wholeTable('Order')]);
  });
});
