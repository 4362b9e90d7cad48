import { expect, it } from '@jest/globals';
import type { ConsumerReport } from './events-report.js';
import { addCountedTopic, sumOfCounted, withCounted } from './events-counters.js';

const topic = (invalidations: number, events = {}) => addCountedTopic(undefined, { invalidations, events });
const table = (missed: number) => ({ runs: 1, apiCalls: 2, missed, rechecked: 0, wholeTables: 0 });

it('[N9] adds up what all processes have counted, and shows it in the place of what the present one has', () => {
  const counted = sumOfCounted([
    { topics: { '/a': topic(40, { UPDATE: 3 }) }, tables: { Order: table(5) } },
    { topics: { '/a': topic(2, { UPDATE: 1, CREATE: 1 }), '/b': topic(7) }, tables: { Order: table(1) } },
    {}, // of a process of an older version
  ]);
  const report = {
    role: 'active',
    topics: [
      { topic: '/a', state: 'live', ...topic(2) },
      { topic: '/c', state: 'live', ...topic(9) },
    ],
    reconciler: { missed: 1, lastRunAt: 7, tables: [{ table: 'Order', failures: 1, lastRunAt: 7, ...table(1) }] },
  } as unknown as ConsumerReport;
  expect(withCounted(report, counted)).toMatchObject({
    topics: [
      { topic: '/a', state: 'live', invalidations: 42, events: { UPDATE: 4, CREATE: 1 } },
      { topic: '/c', invalidations: 9 },
    ],
    reconciler: { missed: 6, apiCalls: 4, lastRunAt: 7, tables: [{ table: 'Order', missed: 6, failures: 1 }] },
  });
});
