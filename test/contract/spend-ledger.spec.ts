import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createRedisClient, type RedisClient } from '@bff/infra/redis/redis-client';
import { MemorySpendLedger } from '@bff/infra/sources/memory-spend-ledger';
import { RedisSpendLedger } from '@bff/infra/sources/redis-spend-ledger';
import type { SpendLedger } from '@bff/infra/sources/spend-ledger';
import { eventually } from '../support/eventually.js';
import { startRedisServer, type RedisServer } from '../support/redis/redis-server.js';
import { connectRedis } from './redis-under-test.js';

interface LedgersUnderTest {
  readonly ledger: SpendLedger;
  /** The same ledger as another process sees it. */
  readonly other: SpendLedger;
  readonly clock: { now: number };
  close(): Promise<void>;
}

const NOON = Date.UTC(2026, 10, 30, 12);
const DAY_MS = 86_400_000;

let server: RedisServer;
beforeAll(async () => {
  server = await startRedisServer();
});
afterAll(() => server.stop());

const implementations: readonly { name: string; create: () => Promise<LedgersUnderTest> }[] = [
  {
    name: 'memory',
    create: async () => {
      const clock = { now: NOON };
      const ledger = new MemorySpendLedger(() => clock.now);
      return { ledger, other: ledger, clock, close: () => ledger.close() };
    },
  },
  {
    name: 'Redis',
    create: async () => {
      const clock = { now: NOON };
      const appName = `contract-${randomUUID()}`;
      const connections = [await connectRedis(server), await connectRedis(server)] as const;
      const [ledger, other] = connections.map(
        (redis): SpendLedger => new RedisSpendLedger(redis, appName, () => clock.now),
      ) as [SpendLedger, SpendLedger];
      const close = async () => {
        await Promise.all([ledger.close(), other.close()]);
        connections.forEach((redis) => redis.disconnect());
      };
      return { ledger, other, clock, close };
    },
  },
];

function charge(ledger: SpendLedger, account: string, count: number): void {
  for (let i = 0; i < count; i += 1) ledger.charge(account);
}

describe.each(implementations)('[C2] SpendLedger: $name', ({ create }) => {
  let sut: LedgersUnderTest;
  beforeEach(async () => {
    sut = await create();
  });
  afterEach(() => sut.close());

  it('knows at once what it has counted itself', () => {
    charge(sut.ledger, 'a', 3);
    charge(sut.ledger, 'b', 5);
    expect([sut.ledger.spentBy('a'), sut.ledger.spentBy('b'), sut.ledger.spentBy('c')]).toEqual([3, 5, 0]);
    expect(sut.ledger.heaviest()).toBe(5);
  });

  it('learns what all processes together have counted', async () => {
    charge(sut.ledger, 'a', 30);
    charge(sut.ledger, 'heavy', 70);
    charge(sut.other, 'a', 12);
    await eventually(() => Math.max(sut.ledger.spentBy('a'), sut.other.spentBy('a')) === 42, { what: 'the sum' });
    charge(sut.ledger, 'a', 1);
    charge(sut.other, 'a', 1);
    const isKnown = ({ ledger, other }: LedgersUnderTest) =>
      Math.max(ledger.spentBy('a'), other.spentBy('a')) === 44 && other.heaviest() === 70;
    await eventually(() => isKnown(sut), { what: 'each request is counted once' });
  });

  it('begins anew with each UTC day', async () => {
    charge(sut.ledger, 'a', 9);
    sut.clock.now += DAY_MS;
    expect([sut.ledger.spentBy('a'), sut.ledger.heaviest()]).toEqual([0, 0]);
    charge(sut.ledger, 'a', 2);
    charge(sut.other, 'a', 1);
    await eventually(() => Math.max(sut.ledger.spentBy('a'), sut.other.spentBy('a')) === 3, { what: 'the new day' });
  });

  it('forgets the accounts that asked least recently beyond 10,000', () => {
    charge(sut.ledger, 'old', 1);
    for (let i = 0; i < 10_000; i += 1) sut.ledger.charge(`account ${i}`);
    expect([sut.ledger.spentBy('old'), sut.ledger.spentBy('account 9999')]).toEqual([0, 1]);
  });
});

describe('[C2] the spend in Redis', () => {
  let redis: RedisClient;
  beforeEach(async () => {
    redis = await connectRedis(server);
  });
  afterEach(() => redis.disconnect());

  it('is one key a day, which ends after two days and holds the 10,000 heaviest accounts', async () => {
    const appName = `contract-${randomUUID()}`;
    const key = `{${appName}.spend}:2026-11-30`;
    const rows = Array.from({ length: 10_001 }, (_, i) => [i + 2, `account ${i}`]).flat();
    await redis.zadd(key, ...rows);
    const ledger = new RedisSpendLedger(redis, appName, () => NOON);
    charge(ledger, 'account 10000', 1);
    await ledger.write();
    expect([await redis.zcard(key), await redis.zscore(key, 'account 0')]).toEqual([10_000, null]);
    expect([ledger.spentBy('account 10000'), ledger.heaviest()]).toEqual([10_003, 10_003]);
    expect(await redis.pttl(key)).toBeGreaterThan(1.9 * DAY_MS);
    await ledger.close();
  });

  it('is written in batches', async () => {
    const appName = `contract-${randomUUID()}`;
    const ledger = new RedisSpendLedger(redis, appName, () => NOON);
    for (let i = 0; i < 1_200; i += 1) ledger.charge(`account ${i}`);
    const counts: number[] = [];
    for (let i = 0; i < 3; i += 1) {
      await ledger.write();
      counts.push(await redis.zcard(`{${appName}.spend}:2026-11-30`));
    }
    expect(counts).toEqual([500, 1_000, 1_200]);
    await ledger.close();
  });

  it('is written to the end at the close', async () => {
    const appName = `contract-${randomUUID()}`;
    const ledger = new RedisSpendLedger(redis, appName, () => NOON);
    for (let i = 0; i < 1_200; i += 1) ledger.charge(`account ${i}`);
    await ledger.close();
    expect(await redis.zcard(`{${appName}.spend}:2026-11-30`)).toBe(1_200);
  });

  it('does not concern the caller while Redis is away or refuses', async () => {
    await redis.acl('SETUSER', 'few', 'on', '>password', '~*', '&*', '+@all', '-zadd');
    const away = createRedisClient({ url: 'redis://127.0.0.1:1' });
    const refused = createRedisClient({ url: `redis://few:password@127.0.0.1:${server.port}` });
    await refused.connect();
    const warning = jest.spyOn(process, 'emitWarning');
    for (const connection of [away, refused]) {
      const ledger = new RedisSpendLedger(connection, 'contract', () => NOON);
      charge(ledger, 'a', 3);
      await ledger.write();
      expect([ledger.spentBy('a'), ledger.heaviest()]).toEqual([3, 3]);
      await ledger.close();
      connection.disconnect();
    }
    expect(warning).not.toHaveBeenCalled();
    warning.mockRestore();
  });
});
