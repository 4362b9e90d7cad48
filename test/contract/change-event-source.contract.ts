import { afterAll, afterEach, beforeAll, describe } from '@jest/globals';
import { describeChanges } from './change-event-source/changes.js';
import { describeDelivery } from './change-event-source/delivery.js';
import { describeFaults } from './change-event-source/faults.js';
import { EventSourceLab, type Transport } from './change-event-source/lab.js';

/** The contract of every implementation of the `ChangeEventSource` port, against the sandbox over real sockets. */
export function describeChangeEventSource(transport: Transport): void {
  describe(`ChangeEventSource: ${transport.name}`, () => {
    let lab: EventSourceLab;
    beforeAll(async () => {
      lab = await EventSourceLab.open(transport);
    });
    afterEach(() => lab.clear());
    afterAll(() => lab.close());

    describe('delivery', () => describeDelivery(() => lab));
    describe('changes', () => describeChanges(() => lab));
    describe('faults', () => describeFaults(() => lab));
  });
}
