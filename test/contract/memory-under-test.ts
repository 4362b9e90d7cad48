import { MemoryCacheStore } from '@bff/infra/cache/store/memory/memory-cache-store';
import type { StoreFactory } from './store-under-test.js';

/** Makes embedded stores, each of which one process alone can see. */
export function memoryStores(): StoreFactory {
  return async ({ windowMax } = {}) => {
    const store = new MemoryCacheStore(windowMax === undefined ? {} : { windowMax });
    await store.open();
    return { store, other: store, countIndexKeys: async () => store.indexCount, close: () => store.close() };
  };
}
