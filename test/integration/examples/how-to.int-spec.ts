import { randomBytes } from 'node:crypto';
import type { CacheService } from '@bff/infra/cache/cache.service';
import type { Fetcher } from '@bff/infra/cache/cache.types';
import { createCache } from '@bff/infra/cache/create-cache';
import { DomainCache } from '@bff/infra/cache/domain-cache';
import { ttl } from '@bff/infra/cache/strategies';
import { createRedisClient } from '@bff/infra/redis/redis-client';
import { afterEach, describe, expect, it } from '@jest/globals';
import { redisCommand } from '../../support/redis/redis-command.js';
import { eventually } from '../../support/eventually.js';
import { startRedisSentinels } from '../../support/redis/redis-sentinels.js';
import { startRedisServer, type RedisServer } from '../../support/redis/redis-server.js';

class InvoicesCache extends DomainCache {
  private readonly byAccount = this.bucket<string[]>('account', { strategy: ttl(300), sensitive: true });

  constructor(cache: CacheService) {
    super('invoices', cache);
  }

  ofAccount(account: string, fetcher: Fetcher<string[]>): Promise<string[]> {
    return this.byAccount.get([account], fetcher);
  }
}

const newKey = () => randomBytes(32).toString('base64');

/** Follows guides of docs/how-to on a real Redis. */
describe('the how-to guides', () => {
  let redis: RedisServer;
  const caches: CacheService[] = [];
  afterEach(async () => {
    await Promise.all(caches.splice(0).map((cache) => cache.close()));
    await redis.stop();
  });

  it('encrypt values, and rotate their keys without a value that nobody can read', async () => {
    redis = await startRedisServer();
    const redisUrl = redis.url;
    const [oldKey, newerKey] = [newKey(), newKey()];
    const withKeys = (...keys: [id: string, base64: string][]) => {
      const encryptionKeys = keys.map(([id, base64]) => ({ id, secret: Buffer.from(base64, 'base64') }));
      const cache = createCache({ appName: 'billing', redisUrl, encryptionKeys });
      caches.push(cache);
      return new InvoicesCache(cache);
    };
    let fetches = 0;
    const fetcher = async () => (fetches++, ['a secret amount']);

    const before = withKeys(['2026a', oldKey]);
    await before.ofAccount('1', fetcher);
    const dump = await redisCommand(redis.port, 'EVAL', allStrings, 0);
    expect(String(dump)).toContain('2026a');
    expect(String(dump)).not.toContain('secret amount');

    // Step 1: every process can read the new key's values before one process writes them.
    const first = withKeys(['2026a', oldKey], ['2027a', newerKey]);
    expect(await first.ofAccount('1', fetcher)).toEqual(['a secret amount']);
    expect(fetches).toBe(1);

    // Step 2: the new key encrypts; both kinds of processes read both kinds of values.
    const second = withKeys(['2027a', newerKey], ['2026a', oldKey]);
    await second.ofAccount('1', fetcher);
    await second.ofAccount('2', fetcher);
    await first.ofAccount('2', fetcher);
    expect(fetches).toBe(2);

    // Step 3, too early: what the old key encrypted is a miss, not an error.
    const third = withKeys(['2027a', newerKey]);
    expect(await third.ofAccount('1', fetcher)).toEqual(['a secret amount']);
    expect(fetches).toBe(3);

    await expect(withKeys().ofAccount('3', fetcher)).rejects.toMatchObject({ code: 'CACHE_INVALID_OPTION' });
  });

  it('share a Redis between processes without Nest, and say what a server is not fit for', async () => {
    redis = await startRedisServer({ args: ['--maxmemory-policy', 'allkeys-lru'] });
    const redisUrl = redis.url;

    const cache = createCache({ appName: 'reports', redisUrl });

    caches.push(cache);
    await expect(cache.open()).rejects.toMatchObject({ code: 'CACHE_STORE_UNSUITABLE' });
    expect(cache.state().reason).toContain('allkeys-lru');
  });

  it('reach a primary through its Sentinels', async () => {
    const group = await startRedisSentinels();
    redis = await startRedisServer();
    try {
      const sentinels = group.addresses;

      const client = createRedisClient({ sentinels, sentinelName: 'main', commandTimeoutMs: 200 });
      const cache = createCache({ appName: 'reports', redis: client });
      await cache.open();

      await eventually(() => cache.state().status === 'up', { what: 'the store', state: () => cache.state() });
      expect(await cache.getOrSet('reports:1', async () => 'one', 60)).toBe('one');
      expect(await cache.status('reports:1')).toBe('exists');

      await cache.close(); // leaves a client that it did not make
      client.disconnect();
    } finally {
      await group.stop();
    }
  });
});

const allStrings = `local all = {}
for _, key in ipairs(redis.call('KEYS', '*')) do
  local kind = redis.call('TYPE', key).ok
  if kind == 'string' then all[#all + 1] = redis.call('GET', key) end
  if kind == 'hash' then for _, part in ipairs(redis.call('HGETALL', key)) do all[#all + 1] = part end end
end
return table.concat(all, ' ')`;
