import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Redis } from 'ioredis';
import RedisMock from 'ioredis-mock';
import { RedisCheckpoints } from './redis-checkpoints.js';
import { RedisProcessReports } from './redis-process-reports.js';

/** The mock supports plain commands only; it lacks the `status` that a shared connection reads. */
const connect = () => Object.assign(new (RedisMock as unknown as typeof Redis)(), { status: 'ready' });

/** Waits over several turns of the event loop, in which the mock answers. */
const eventually = async (condition: () => Promise<boolean>): Promise<void> => {
  for (let turn = 0; turn < 1000; turn++) {
    if (await condition()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error('the condition did not hold');
};

describe('what is kept beside the entries', () => {
  const boards: RedisProcessReports[] = [];
  const board = (redis: Redis, id: string) => {
    const reports = new RedisProcessReports(redis, 'app', id);
    boards.push(reports);
    return reports;
  };
  afterEach(async () => {
    jest.useRealTimers();
    await Promise.all(boards.splice(0).map((b) => b.close()));
    await connect().flushall();
  });

  it('shows the reports of all processes, the own one as it is now, and takes them down at the end', async () => {
    const redis = connect();
    const [one, other] = [board(redis, 'one'), board(redis, 'other')];
    let count = 1;
    one.publish('t', () => ({ count }));
    other.publish('t', () => ({ count: 10 }));
    await new Promise((resolve) => setImmediate(resolve));
    count = 2;
    const seen = (await one.read('t')).map(({ processId, content }) => ({ processId, content }));
    expect(seen).toEqual([
      { processId: 'other', content: { count: 10 } },
      { processId: 'one', content: { count: 2 } },
    ]);
    await other.close();
    expect(await one.read('t')).toHaveLength(1);
    expect(await one.read('elsewhere')).toEqual([]);
  });

  it('keeps an index that ends by itself, and holds only who is there although nobody reads it', async () => {
    const redis = connect();
    const index = '{app.reports}:t';
    await redis.sadd(index, 'of an earlier start', 'of the start before');
    board(redis, 'one').publish('t', () => 1);
    await eventually(async () => (await redis.scard(index)) === 1);
    expect(await redis.smembers(index)).toEqual(['one']);
    const remainingMs = await redis.pttl(index);
    expect(remainingMs).toBeGreaterThan(10_000); // longer than a report lives
    expect(remainingMs).toBeLessThanOrEqual(60_000);
  });

  it('renews the life of the index with each write', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] }); // the mock needs these
    const redis = connect();
    const index = '{app.reports}:t';
    board(redis, 'one').publish('t', () => 1);
    await eventually(async () => (await redis.pttl(index)) > 0);
    await redis.pexpire(index, 5000);
    await jest.advanceTimersByTimeAsync(1000);
    await eventually(async () => (await redis.pttl(index)) > 5000);
  });

  it('keeps checkpoints under their names', async () => {
    const checkpoints = new RedisCheckpoints(connect(), 'app');
    expect(await checkpoints.load('org/cometd/topic')).toBeUndefined();
    await checkpoints.save('org/cometd/topic', '17');
    expect(await checkpoints.load('org/cometd/topic')).toBe('17');
    await checkpoints.remove('org/cometd/topic');
    expect(await checkpoints.load('org/cometd/topic')).toBeUndefined();
  });
});
