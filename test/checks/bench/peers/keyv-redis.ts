import { importPeer } from './peer-package.js';

export interface KeyvStore {
  disconnect(): Promise<void>;
}

/**
 * A Keyv of the version on which cache-manager and cacheable depend: over Redis if there is a URL, otherwise in memory.
 */
export async function createKeyv(namespace: string, redisUrl?: string): Promise<KeyvStore> {
  const { Keyv } = await importPeer<{ Keyv: new (options?: object) => KeyvStore }>('keyv');
  if (!redisUrl) return new Keyv();
  const { default: KeyvRedis } = await importPeer<{ default: new (url: string) => object }>('@keyv/redis');
  return new Keyv({ store: new KeyvRedis(redisUrl), namespace });
}
