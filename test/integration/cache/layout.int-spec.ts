import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { CacheService } from '@bff/infra/cache/cache.service';
import { createCache } from '@bff/infra/cache/create-cache';
import { Redis } from 'ioredis';
import { eventually } from '../../support/eventually.js';
import { OlderBuild, type OlderCache } from '../../support/cache/older-build.js';
import { startRedisServer, type RedisServer } from '../../support/redis/redis-server.js';

/** The last commit before layout 2 of the keys in Redis. */
const OLDER = '31835a36110edbcc49f0ce5ce8fe899a7dd298ae';

/** Keys that a running process keeps writing by itself: its beats, and the position of its sweeper. */
const UPKEEP = /:(in|ac|m)$/;

/**
 * Neither version of the program receives the other's invalidations or reads its entries correctly, so they must not
 * run side by side.
 */
describe('the build 31835a3 beside this one', () => {
  let server: RedisServer;
  let admin: Redis;
  let build: OlderBuild;
  let appName: string;
  let running: { stop(): Promise<void> }[];

  beforeAll(async () => {
    build = await OlderBuild.of(OLDER);
    server = await startRedisServer();
    admin = new Redis(server.url);
  });
  afterAll(async () => {
    await build?.remove();
    admin?.disconnect();
    await server?.stop();
  });
  beforeEach(async () => {
    await admin.flushall();
    [appName, running] = [`l${randomUUID().slice(0, 8)}`, []];
  });
  afterEach(() => Promise.all(running.map((each) => each.stop())).then(() => undefined));

  function startOlder(): OlderCache {
    const older = build.start(server.url, appName);
    running.push(older);
    return older;
  }

  function startThis(): CacheService {
    const cache = createCache({ redisUrl: server.url, appName, commandTimeoutMs: 5000 });
    running.push({ stop: () => cache.close() });
    return cache;
  }

  /** Everything that Redis holds, byte by byte, except keys whose names match. */
  async function content(except?: RegExp): Promise<Record<string, string>> {
    const keys = (await admin.keys('*')).filter((key) => !except?.test(key)).sort();
    const dumps = await Promise.all(keys.map((key) => admin.dumpBuffer(key)));
    return Object.fromEntries(keys.map((key, i) => [key, String(dumps[i]?.toString('hex'))]));
  }

  it('refuses to start where that one runs: says why, and changes nothing', async () => {
    const older = startOlder();
    await older.open();
    expect(await older.read('thing:1', 'old')).toBe('old');
    older.pause(); // so that only this process could change anything
    const before = await content();
    expect(Object.keys(before)).toContain(`{${appName}.layout}`);
    const refusal = expect(startThis().open()).rejects;
    await refusal.toMatchObject({
      code: 'CACHE_STORE_UNSUITABLE',
      message: expect.stringMatching(/layout v1.* v2.*stop the others first.*delete \{.*\.layout\}/),
    });
    expect(await content()).toEqual(before);
    older.resume();
    expect(await older.read('thing:1', 'new')).toBe('old');
    await older.invalidate('thing:1');
    expect(await older.read('thing:1', 'new')).toBe('new');
  });

  it('is left alone by that one, which refuses to start', async () => {
    const cache = startThis();
    await cache.open();
    await eventually(() => cache.state().status === 'up', { what: 'a store that is up' });
    await cache.getOrSet('thing:1', async () => 'ours');
    const before = await content(UPKEEP);
    await expect(startOlder().open()).rejects.toMatchObject({ code: 'CACHE_STORE_UNSUITABLE' });
    expect(await content(UPKEEP)).toEqual(before);
    expect(await cache.get('thing:1')).toBe('ours');
  });

  it('starts when that one has ended and what was agreed on is deleted', async () => {
    const older = startOlder();
    await older.open();
    expect(await older.read('thing:1', 'old')).toBe('old');
    await older.stop();
    await expect(startThis().open()).rejects.toMatchObject({ code: 'CACHE_STORE_UNSUITABLE' });
    await admin.del(`{${appName}.layout}`);
    const cache = startThis();
    await cache.open();
    await eventually(() => cache.state().status === 'up', { what: 'a store that is up' });
    expect(await cache.getOrSet('thing:1', async () => 'new')).toBe('new');
    expect(await cache.get('thing:1')).toBe('new');
  });
});
