import type { ChangeEvent } from '@bff/integrations/salesforce/events/source-event';

/** A change event: the update of one order, unless `given` says otherwise. */
export function changeEvent(given: Partial<ChangeEvent> = {}): ChangeEvent {
  return {
    kind: 'change',
    topic: '/data/OrderChangeEvent',
    replayId: '1',
    entityName: 'Order',
    recordIds: ['801000000000001AAA'],
    scope: 'records',
    changeType: 'UPDATE',
    changedFields: undefined,
    commitTimestamp: 0,
    transactionKey: 't',
    sequenceNumber: 1,
    fields: {},
    ...given,
  };
}
