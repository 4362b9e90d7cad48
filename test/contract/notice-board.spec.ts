import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { MemoryNoticeBoard } from '@bff/infra/notices/memory/memory-notice-board';
import { RedisNoticeBoard } from '@bff/infra/notices/redis/redis-notice-board';
import { createRedisClient, type RedisClient } from '@bff/infra/redis/redis-client';
import { eventually } from '../support/eventually.js';
import { startRedisServer, type RedisServer } from '../support/redis/redis-server.js';
import { describeNoticeBoard, following } from './notice-board.contract.js';
import { connectRedis } from './redis-under-test.js';

let server: RedisServer;
const opened: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  server = await startRedisServer();
});
afterEach(async () => {
  for (const what of opened.splice(0).reverse()) await what.close();
});
afterAll(() => server.stop());

async function redisBoards(on: RedisServer, keptMax?: number, connect = connectRedis) {
  const appName = `contract-${randomUUID()}`;
  const connections = [await connect(on), await connect(on)] as const;
  const [board, other] = connections.map((redis) => new RedisNoticeBoard(redis, appName, keptMax)) as [
    RedisNoticeBoard,
    RedisNoticeBoard,
  ];
  return {
    board,
    other,
    redis: connections[0] as Redis,
    key: `{${appName}.notices}`,
    close: async () => {
      await Promise.all([board.close(), other.close()]);
      for (const redis of connections) redis.disconnect();
    },
  };
}

describeNoticeBoard('memory', async (keptMax) => {
  const board = new MemoryNoticeBoard(keptMax);
  return { board, other: board, close: () => board.close() };
});

describeNoticeBoard('Redis', (keptMax) => redisBoards(server, keptMax));

describe('RedisNoticeBoard', () => {
  const changed = (audience: string, source?: string) => ({ name: 'orders.changed', audience, source });

  async function boards(on: RedisServer = server, connect = connectRedis) {
    const sut = await redisBoards(on, undefined, connect);
    opened.push(sut);
    return sut;
  }

  it('loses no notice and repeats none while its connections are cut again and again', async () => {
    const { board, other } = await boards(server, connectImpatiently);
    const follower = await following(board);
    const killer = await connectRedis(server);
    opened.push({ close: async () => killer.disconnect() });
    for (let n = 0; n < 200; n += 1) {
      if (n % 20 === 0) await killer.client('KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      await eventually(() => posted(other, changed('a', `event/${n}`)));
    }
    await follower.hasHeard(200);
    expect(follower.notices).toHaveLength(200);
    expect(follower.lost).toBe(0);
  });

  it('says that notices may be lost when the server comes back empty, and goes on', async () => {
    const own = await startRedisServer();
    opened.push({ close: () => own.stop() });
    const { board, other } = await boards(own);
    const follower = await following(board);
    await other.publish([changed('a')]);
    await follower.hasHeard(1);
    const before = board.position() as string;
    await own.kill();
    await expect(other.publish([changed('b')])).rejects.toMatchObject({ code: 'NOTICES_UNAVAILABLE', retryable: true });
    await eventually(() => board.state().status === 'down');
    expect(board.state().reason).toMatch(/^the connection for notices is /);
    await own.restart();
    await eventually(() => follower.lost === 1 && board.state().status === 'up');
    expect(await board.since(before, ['a'])).toBeUndefined();
    await eventually(() => posted(other, changed('c')));
    await eventually(() => follower.told.includes('orders.changed c'));
  });

  it('says so too when more was posted than is kept while it did not read', async () => {
    const { board, redis, key } = await boards();
    const follower = await following(board);
    const all = redis.multi().xadd(key, '*', 'n', 'unseen', 'a', '*').xtrim(key, 'MAXLEN', 0);
    await all.xadd(key, '*', 'n', 'seen', 'a', '*').exec();
    await eventually(() => follower.lost > 0);
    await eventually(async () => (await board.since(board.position() as string, [])) !== undefined);
  });

  it('waits for a notice that another process has read already', async () => {
    const { board, redis, key } = await boards();
    await following(board);
    const newest = (await redis.xadd(key, '*', 'n', 'orders.changed', 'a', '=a')) as string;
    expect(await board.since(newest, ['a'])).toEqual([]);
  });

  it('begins to follow when the server comes, if that was away at first', async () => {
    const own = await startRedisServer();
    opened.push({ close: () => own.stop() });
    await own.kill();
    const redis: RedisClient = createRedisClient({ url: own.url });
    const board = new RedisNoticeBoard(redis, 'contract');
    opened.push({ close: () => board.close().finally(() => redis.disconnect()) });
    board.follow({ onNotice: () => undefined, onLost: () => undefined });
    expect([board.position(), board.state().status]).toEqual([undefined, 'down']);
    await own.restart();
    await eventually(() => board.position() !== undefined);
    expect(board.state()).toEqual({ status: 'up' });
  });

  it('keeps a bounded memory of sources, which ends by itself', async () => {
    const { board, redis, key } = await boards();
    for (let n = 0; n < 10_400; n += 200) {
      await board.publish(Array.from({ length: 200 }, (_, i) => changed('a', `event/${n + i}`)));
    }
    expect(await redis.zcard(`${key}:sources`)).toBe(10_000);
    expect(await redis.pttl(`${key}:sources`)).toBeGreaterThan(590_000);
  });
});

/**
 * Connects with the product's command timeout (200 ms). With the 5 s of `connectRedis`, one unanswered post would use
 * up the patience of `eventually`.
 */
async function connectImpatiently(on: { readonly url: string }): Promise<RedisClient> {
  const redis = createRedisClient({ url: on.url });
  await redis.connect();
  return redis;
}

async function posted(board: RedisNoticeBoard, post: { name: string; audience: string }): Promise<boolean> {
  return board.publish([post]).then(
    () => true,
    () => false,
  );
}
