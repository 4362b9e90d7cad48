import type { BenchCache, Contender, OpenOptions } from '../contender.js';
import { importPeer } from './peer-package.js';

interface Store {
  useL1Layer(driver: unknown): Store;
  useL2Layer(driver: unknown): Store;
  useBus(driver: unknown): Store;
}
interface Bento {
  getOrSet(options: { key: string; factory: () => Promise<unknown> }): Promise<unknown>;
  set(options: { key: string; value: unknown; tags: readonly string[] }): Promise<unknown>;
  delete(options: { key: string }): Promise<unknown>;
  deleteByTag(options: { tags: readonly string[] }): Promise<unknown>;
  disconnectAll(): Promise<unknown>;
}
interface BentoModule {
  BentoCache: new (options: { default: 'bench'; ttl: string; stores: { bench: Store } }) => Bento;
  bentostore(): Store;
}
interface RedisDrivers {
  redisDriver(options: object): unknown;
  redisBusDriver(options: object): unknown;
}

/** bentocache: L1, L2 and bus; tags are timestamps, so an invalidation touches no entry. */
export const bentocache: Contender = {
  name: 'bentocache',
  packageName: 'bentocache',
  cannot: {},
  async open({ redisUrl, mode }: OpenOptions): Promise<BenchCache> {
    const { BentoCache, bentostore } = await importPeer<BentoModule>('bentocache');
    const { redisDriver, redisBusDriver } = await importPeer<RedisDrivers>('bentocache/drivers/redis');
    const { memoryDriver } = await importPeer<{ memoryDriver(o: object): unknown }>('bentocache/drivers/memory');
    const connection = { host: '127.0.0.1', port: Number(new URL(redisUrl).port) };
    let store = bentostore();
    // `serialize: false` makes its L1 faster; beside an L2, version 1.6.1 then fails on values that it has read.
    if (mode !== 'l2')
      store = store.useL1Layer(memoryDriver({ maxItems: 100_000, ...(mode === 'l1' && { serialize: false }) }));
    if (mode !== 'l1') store = store.useL2Layer(redisDriver({ connection }));
    if (mode === 'tiered') store = store.useBus(redisBusDriver({ connection }));
    const bento = new BentoCache({ default: 'bench', ttl: '1h', stores: { bench: store } });
    return {
      getOrSet: (key, factory) => bento.getOrSet({ key, factory }),
      fill: (key, value, tags) => bento.set({ key, value, tags }),
      invalidateKey: (key) => bento.delete({ key }),
      invalidateDependency: (tag) => bento.deleteByTag({ tags: [tag] }),
      close: () => bento.disconnectAll(),
    };
  },
};
