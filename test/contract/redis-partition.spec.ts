import { randomUUID } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { membership, record } from '@bff/infra/cache/dependencies';
import { RedisCacheStore } from '@bff/infra/cache/store/redis/redis-cache-store';
import { defineScripts, runScript, type ScriptName } from '@bff/infra/cache/store/redis/partition/scripts';
import type { RedisClient } from '@bff/infra/redis/redis-client';
import { startRedisServer, type RedisServer } from '../support/redis/redis-server.js';
import { connectRedis } from './redis-under-test.js';
import { put, startBuild, text, value } from './store-under-test.js';

/** Keys that are there without any entry: the application's layout, and four keys of each partition. */
const EVERYWHERE = /(\.layout}|:(?:g|m|iv|tz))$/;
const RUBBISH = 'rubbish';

const FOLDER = 'libs/infra/src/cache/store/redis/lua';
/** The scripts that run on a partition, and how many arguments each takes. */
const scripts = readdirSync(FOLDER).flatMap((file) => {
  const text = readFileSync(`${FOLDER}/${file}`, 'utf8');
  const [, count] = /= arguments\((\d+)/.exec(text) ?? [];
  if (!/= use(?:Own)?\(tag/.test(text) || count === undefined) return [];
  return [{ name: file.replace('.lua', '') as ScriptName, count: Number(count) }];
});

describe('the partitions of a store on Redis', () => {
  let server: RedisServer;
  let admin: RedisClient;
  let connection: RedisClient;
  let appName: string;
  let store: RedisCacheStore;
  beforeAll(async () => {
    server = await startRedisServer();
    admin = await connectRedis(server);
  });
  afterAll(async () => {
    admin.disconnect();
    await server.stop();
  });
  beforeEach(() => void (appName = `contract-${randomUUID()}`));
  afterEach(async () => {
    await store.close();
    connection.disconnect();
  });

  const open = async (partitions: number) => {
    connection = await connectRedis(server);
    store = new RedisCacheStore({ redis: connection, appName, partitions });
    await store.open();
  };
  const keys = () => admin.keys(`*${appName}*`);
  const tag = (partitions: number, partition: number) => `{${appName}.v2.P${partitions}:${partition}}`;

  it('[invariant 6] keep everything about a key under one hash tag', async () => {
    await open(3);
    const { leaseId, start, key } = await startBuild(store, 'orders:account:1');
    const dependencies = [record('Order', '1'), membership('Order')];
    await store.commit({ key, leaseId, start, value: value('v'), dependencies, ttlMs: 60_000, staleMs: 60_000 });
    await store.begin({ key, leaseId: randomUUID(), leaseMs: 60_000, known: [], refresh: true });
    const own = (await keys()).filter((name) => !EVERYWHERE.test(name));
    const suffixes = own.map((name) => name.slice(name.indexOf('}') + 1));
    expect(suffixes).toEqual(
      expect.arrayContaining([`:e:${key}`, `:l:${key}`, `:s:${key}`, ':x:r:Order:1', ':d', ':ut']),
    );
    expect(new Set(own.map((name) => /^\{[^{}]+\.v2\.P3:[0-2]\}/.exec(name)?.[0])).size).toBe(1);
  });

  describe('[invariant 7] serve nothing that the index does not lead to', () => {
    /** Gives the index key of this dependency a wrong type, so that every script that writes to it fails halfway. */
    const spoil = async (dependency: string) => {
      await admin.del(`${tag(1, 0)}:x:${dependency}`);
      await admin.set(`${tag(1, 0)}:x:${dependency}`, RUBBISH);
    };
    const isKept = async () => (await admin.exists(`${tag(1, 0)}:e:orders:1`)) === 1;

    it('when a commit fails halfway', async () => {
      await open(1);
      await spoil('r:Order:2');
      const build = await startBuild(store, 'orders:1');
      await expect(build.commit('v', [record('Order', '1'), record('Order', '2')])).rejects.toThrow();
      expect(await isKept()).toBe(false);
    });

    it('when an invalidation fails halfway', async () => {
      await open(1);
      await put(store, 'orders:1', 'v', [record('Order', '1'), record('Order', '2')]);
      expect(await isKept()).toBe(true);
      await spoil('r:Order:2');
      await expect(store.invalidate([record('Order', '1')])).rejects.toThrow();
      expect(await isKept()).toBe(false);
    });
  });

  it('[invariant 9] acknowledge an invalidation only together', async () => {
    await open(3);
    await admin.del(`${tag(3, 1)}:iv`);
    await admin.set(`${tag(3, 1)}:iv`, RUBBISH); // so one partition fails, and the others succeed
    await expect(store.invalidate([record('Order', '1')])).rejects.toThrow();
    await admin.del(`${tag(3, 1)}:iv`);
    await put(store, 'orders:1', 'v', [record('Order', '1')]);
    await expect(store.invalidate([record('Order', '1')])).resolves.toMatchObject({ dropped: 1 });
    expect(await text(store, 'orders:1')).toBeUndefined();
  });

  it('[invariant 17] begin a history by one script alone', async () => {
    await open(1);
    const unborn = tag(1, 7);
    defineScripts(admin);
    expect(scripts.length).toBeGreaterThan(10);
    for (const { name, count } of scripts.filter((each) => each.name !== 'adopt')) {
      const position = ['-1', '', '']; // of a process that remembers nothing, for scripts that take one
      const given = [unborn, ...position, ...Array<string>(24).fill('0')].slice(0, count);
      const reply = runScript(admin, name, `${unborn}:g`, given);
      await expect(reply).rejects.toThrow('NOHISTORY');
      expect(await admin.keys(`${unborn}*`)).toEqual([]);
    }
  });
});
