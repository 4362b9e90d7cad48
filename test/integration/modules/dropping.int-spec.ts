import { createCache } from '@bff/infra/cache/create-cache';
import type { CacheService } from '@bff/infra/cache/cache.service';
import { DomainCache } from '@bff/infra/cache/domain-cache';
import { record } from '@bff/infra/cache/dependencies';
import { changeDriven } from '@bff/infra/cache/strategies';
import { createFleet, type Fleet } from '@bff/infra/fleet/create-fleet';
import { createRedisClient, type RedisClient } from '@bff/infra/redis/redis-client';
import type { AppConfig } from '@bff/modules/config/app-config';
import { loadConfig } from '@bff/modules/config/load-config';
import { cacheOptions } from '@bff/modules/runtime/cache-options';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { drop, type DropOutcome } from '../../../apps/cdc-worker/src/drop/drop.js';
import { dropRequest } from '../../../apps/cdc-worker/src/drop/drop-request.js';
import { startRedisServer, type RedisServer } from '../../support/redis/redis-server.js';

/** More entries than the store indexes for one table or namespace in one partition. */
const MANY = 200;

class Things extends DomainCache {
  private readonly things = this.bucket<string, [id: string]>('thing', { strategy: changeDriven({ toldBy: 'Thing' }) });

  constructor(cache: CacheService) {
    super('things', cache);
  }

  get(id: string): Promise<string> {
    return this.things.get([id], () => Promise.resolve(id), { dependsOn: [record('Thing', id)] });
  }

  forget(id: string) {
    return this.invalidate(record('Thing', id));
  }
}

let server: RedisServer;
let redis: RedisClient;
let fleet: Fleet;
let cache: CacheService;
let config: AppConfig;
let things: Things;

beforeAll(async () => {
  server = await startRedisServer();
  config = loadConfig({
    NODE_ENV: 'test',
    LOG_LEVEL: 'silent',
    AUTH_ISSUER: 'http://127.0.0.1:1',
    AUTH_AUDIENCE: 'portal',
    REDIS_URL: server.url,
    CACHE_PARTITIONS: '1',
  });
  redis = createRedisClient(config.redis);
  fleet = createFleet({ redis, appName: config.app.name });
  cache = createCache(cacheOptions(config, redis, fleet));
  await cache.open();
  things = new Things(cache);
  const term = await fleet.leases.acquire('events', 'a worker', 60_000);
  if (term) await fleet.leases.renew(term, 60_000, new Map([['Thing', 0]]));
});
afterAll(async () => {
  await cache.close();
  await fleet.reports.close();
  redis.disconnect();
  await server.stop();
});

function dropped(what: string): Promise<DropOutcome> {
  return drop(dropRequest(what.split(' ')), config);
}

describe('dropping by hand', () => {
  it('[N8] refuses a domain that no process has', async () => {
    await things.get('1');
    expect(await dropped('domain thing')).toEqual({
      code: 2,
      text: expect.stringMatching(/^Nothing was tried: no process of the application \S+ has the domain thing,/),
    });
    expect(await cache.status('things:thing:1')).toBe('exists');
    expect(await dropped('domain things')).toEqual({
      code: 0,
      text: expect.stringMatching(/\nDropped 1 entry:\n {2}things:thing:1$/),
    });
  });

  it('[N8] knows a domain whose processes have ended by its entries', async () => {
    await cache.set('gone:thing:1', 'left behind');
    expect(await dropped('domain gone')).toEqual({ code: 0, text: expect.stringContaining('\n  gone:thing:1') });
  });

  it('[N8] asks whether a table is misspelt that no feed has and on which no entry depended', async () => {
    for (const what of ['table thing', 'record thing/1']) {
      expect(await dropped(what)).toEqual({
        code: 0,
        text: expect.stringMatching(/No entry depended on it\.\nNo feed .* is named thing, .* Did you mean Thing\?$/),
      });
    }
    expect((await dropped('table Others')).text).toMatch(/The feeds are Thing\.$/);
    expect((await dropped('table Thing')).text).toMatch(/No entry depended on it\.$/);
  });

  it('[N8] does not count what it cannot count, where the store has given up the list of entries', async () => {
    const ids = Array.from({ length: MANY }, (_, i) => `${i}`);
    const said = expect.stringMatching(
      /from the \w+ things?\.\nEvery entry that depends on it is refused, and freed later/i,
    );
    for (const what of ['table Thing', 'domain things']) {
      // Again for each: the sweeper frees what the one before has refused.
      for (const id of ids) await things.get(id);
      for (const id of ids.slice(3)) await things.forget(id);
      expect(await dropped(what)).toEqual({ code: 0, text: said });
      expect((await dropped(what)).text).not.toContain('Dropped 0');
    }
    expect(await cache.get('things:thing:1')).toBeUndefined();
  });
});
