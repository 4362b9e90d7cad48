import { afterEach, describe, it } from '@jest/globals';
import { MemoryCheckpoints } from '@bff/infra/fleet/memory/memory-checkpoints';
import { MemoryConsumerLeases } from '@bff/infra/fleet/memory/memory-consumer-leases';
import { MemoryProcessReports } from '@bff/infra/fleet/memory/memory-process-reports';
import { describeCacheStore } from './cache-store.contract.js';
import { describeCheckpoints } from './checkpoints.contract.js';
import { describeConsumerLeases } from './consumer-leases.contract.js';
import { memoryStores } from './memory-under-test.js';
import { describeProcessReports } from './process-reports.contract.js';

describeCacheStore('memory', memoryStores(), { describe, it, afterEach });

describeCheckpoints('memory', async () => ({
  checkpoints: new MemoryCheckpoints(new MemoryConsumerLeases()),
  close: async () => undefined,
}));

describeConsumerLeases('memory', async () => {
  const leases = new MemoryConsumerLeases();
  return { leases, checkpoints: new MemoryCheckpoints(leases) };
});

describeProcessReports('memory', async (processId) => new MemoryProcessReports({ processId }));
