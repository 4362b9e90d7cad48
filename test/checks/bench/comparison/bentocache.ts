import { importPeer } from '../peers/peer-package.js';
import type { Subject } from './subject.js';

interface FactoryContext {
  setTags(tags: string[]): void;
}
interface Bento {
  getOrSet(options: {
    key: string;
    tags?: string[];
    factory: (context: FactoryContext) => Promise<unknown>;
  }): Promise<unknown>;
  delete(options: { key: string }): Promise<unknown>;
  deleteByTag(options: { tags: string[] }): Promise<unknown>;
  disconnectAll(): Promise<unknown>;
}
interface Store {
  useL1Layer(driver: unknown): Store;
  useL2Layer(driver: unknown): Store;
  useBus(driver: unknown): Store;
}
interface BentoModule {
  BentoCache: new (options: object) => Bento;
  bentostore(options?: object): Store;
}
interface RedisDrivers {
  redisDriver(options: object): unknown;
  redisBusDriver(options: object): unknown;
}

/** bentocache with an L1, Redis and its bus. */
export const bentocache: Subject = {
  name: 'bentocache',
  packageName: 'bentocache',
  open: (redisUrl) => open(redisUrl, {}, {}),
};

/** The same, with a Redis client that gives up soon and the circuit breaker that its documentation offers. */
export const bentocacheWithTimeouts: Subject = {
  name: '… with time-outs',
  packageName: 'bentocache',
  open: (redisUrl) =>
    open(redisUrl, { commandTimeout: 200, maxRetriesPerRequest: 0 }, { l2CircuitBreakerDuration: '1s' }),
};

async function open(redisUrl: string, clientOptions: object, storeOptions: object) {
  const { BentoCache, bentostore } = await importPeer<BentoModule>('bentocache');
  const { redisDriver, redisBusDriver } = await importPeer<RedisDrivers>('bentocache/drivers/redis');
  const { memoryDriver } = await importPeer<{ memoryDriver(options: object): unknown }>('bentocache/drivers/memory');
  const connection = { host: '127.0.0.1', port: Number(new URL(redisUrl).port), ...clientOptions };
  const store = bentostore(storeOptions)
    .useL1Layer(memoryDriver({ maxItems: 10_000 }))
    .useL2Layer(redisDriver({ connection }))
    .useBus(redisBusDriver({ connection }));
  const bento = new BentoCache({ default: 'comparison', ttl: '1h', stores: { comparison: store } });
  return {
    get: (key: string, factory: () => Promise<unknown>) => bento.getOrSet({ key, factory }),
    delete: (key: string) => bento.delete({ key }),
    close: () => bento.disconnectAll(),
    tags: {
      get: (key: string, tag: string, factory: () => Promise<unknown>) => bento.getOrSet({ key, tags: [tag], factory }),
      getAndLearn: (key: string, tag: string, fetch: () => Promise<unknown>) =>
        bento.getOrSet({
          key,
          factory: async ({ setTags }) => {
            const value = await fetch();
            setTags([tag]);
            return value;
          },
        }),
      invalidate: (tag: string) => bento.deleteByTag({ tags: [tag] }),
    },
  };
}
