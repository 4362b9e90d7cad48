import { importPeer } from '../peers/peer-package.js';
import type { Subject } from './subject.js';

interface Cache {
  wrap(key: string, load: () => Promise<unknown>): Promise<unknown>;
  del(key: string): Promise<unknown>;
  disconnect(): Promise<unknown>;
}
interface KeyvStore {
  on(event: 'error', listener: () => void): void;
}

const TTL_MS = 3_600_000;

/** cache-manager over two Keyv stores: memory, then Redis. */
export const cacheManager: Subject = {
  name: 'cache-manager',
  packageName: 'cache-manager',
  open: (redisUrl) => open({ url: redisUrl }),
};

/** A Redis client that queues nothing while it is disconnected, and gives up a server that is silent. */
const IMPATIENT = { disableOfflineQueue: true, socket: { connectTimeout: 500, socketTimeout: 1_000 } };

export const cacheManagerWithTimeouts: Subject = {
  name: '… with time-outs',
  packageName: 'cache-manager',
  open: (redisUrl) => open({ url: redisUrl, ...IMPATIENT }),
};

/** The same with time-outs, and with stores that hand on the errors that they otherwise swallow. */
export const cacheManagerWithErrors: Subject = {
  name: '… and `throwOnErrors`',
  packageName: 'cache-manager',
  open: (redisUrl) => open({ url: redisUrl, ...IMPATIENT }, { throwOnErrors: true }),
};

async function open(clientOptions: object, storeOptions: object = {}) {
  const { createCache } = await importPeer<{ createCache(options: object): Cache }>('cache-manager');
  const { Keyv } = await importPeer<{ Keyv: new (options?: object) => KeyvStore }>('keyv');
  const { default: KeyvRedis } = await importPeer<{ default: new (client: object, options: object) => object }>(
    '@keyv/redis',
  );
  const store = new KeyvRedis(clientOptions, storeOptions);
  const redis = new Keyv({ store, namespace: 'comparison', ...storeOptions });
  redis.on('error', () => undefined);
  const cache = createCache({ stores: [new Keyv(), redis], ttl: TTL_MS });
  return {
    get: (key: string, fetch: () => Promise<unknown>) => cache.wrap(key, fetch),
    delete: (key: string) => cache.del(key),
    close: () => cache.disconnect(),
  };
}
