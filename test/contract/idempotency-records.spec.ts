import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { IdempotencyClaim, IdempotencyRecords } from '@bff/infra/idempotency/idempotency-records';
import { MemoryIdempotencyRecords } from '@bff/infra/idempotency/memory/memory-idempotency-records';
import { RedisIdempotencyRecords } from '@bff/infra/idempotency/redis/redis-idempotency-records';
import { createRedisClient, type RedisClient } from '@bff/infra/redis/redis-client';
import { eventually } from '../support/eventually.js';
import { startRedisServer, type RedisServer } from '../support/redis/redis-server.js';
import { connectRedis } from './redis-under-test.js';

interface RecordsUnderTest {
  readonly records: IdempotencyRecords;
  /** The same records as another process sees them. */
  readonly other: IdempotencyRecords;
  /** The keys of Redis that have no end. */
  endless(): Promise<string[]>;
  close(): Promise<void>;
}

let server: RedisServer;
beforeAll(async () => {
  server = await startRedisServer();
});
afterAll(() => server.stop());

const implementations: readonly { name: string; create: () => Promise<RecordsUnderTest> }[] = [
  {
    name: 'memory',
    create: async () => {
      const records = new MemoryIdempotencyRecords();
      return { records, other: records, endless: async () => [], close: async () => undefined };
    },
  },
  {
    name: 'Redis',
    create: async () => {
      const appName = `contract-${randomUUID()}`;
      const connections = [await connectRedis(server), await connectRedis(server)] as const;
      const [records, other] = connections.map(
        (redis): IdempotencyRecords => new RedisIdempotencyRecords(redis, appName),
      ) as [IdempotencyRecords, IdempotencyRecords];
      return {
        records,
        other,
        endless: () => endlessKeys(connections[0], `{${appName}.*`),
        close: async () => connections.forEach((redis) => redis.disconnect()),
      };
    },
  },
];

const LONG_MS = 60_000;
const claim = (given: Partial<IdempotencyClaim> = {}): IdempotencyClaim => ({
  key: 'k',
  fingerprint: 'f',
  holder: randomUUID(),
  ...given,
});

describe.each(implementations)('[C3] IdempotencyRecords: $name', ({ create }) => {
  let sut: RecordsUnderTest;
  beforeEach(async () => {
    sut = await create();
  });
  afterEach(async () => {
    expect(await sut.endless()).toEqual([]);
    await sut.close();
  });

  it('give the work under a key to one holder, however many ask at once in all processes', async () => {
    const all = Array.from({ length: 50 }, (_, i) => (i % 2 ? sut.records : sut.other).begin(claim(), LONG_MS));
    const kinds = (await Promise.all(all)).map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === 'begun')).toHaveLength(1);
    expect(kinds.filter((kind) => kind === 'running')).toHaveLength(49);
    expect(await sut.other.begin(claim({ key: 'another' }), LONG_MS)).toEqual({ kind: 'begun', mayBeDone: false });
  });

  it('let a holder repeat the beginning, and say how long it may still be silent', async () => {
    const own = claim();
    await sut.records.begin(own, LONG_MS);
    expect(await sut.records.begin(own, LONG_MS)).toEqual({ kind: 'begun', mayBeDone: false });
    const { leftMs } = (await sut.other.begin(claim(), LONG_MS)) as { leftMs: number };
    expect(leftMs).toBeGreaterThan(0);
    expect(leftMs).toBeLessThanOrEqual(LONG_MS);
  });

  it('give the answer to everybody with the same fingerprint, and to nobody with another', async () => {
    const own = claim();
    await sut.records.begin(own, LONG_MS);
    expect(await sut.other.begin(claim({ fingerprint: 'g' }), LONG_MS)).toEqual({ kind: 'mismatch' });
    expect(await sut.records.answer(own, 'the answer', LONG_MS)).toBe(true);
    expect(await sut.other.begin(claim(), LONG_MS)).toEqual({ kind: 'answered', answer: 'the answer' });
    expect(await sut.other.begin(claim({ fingerprint: 'g' }), LONG_MS)).toEqual({ kind: 'mismatch' });
    expect(await sut.records.hold(own, { leaseMs: LONG_MS })).toBe(false);
    await sut.records.release(own);
    expect(await sut.other.begin(claim(), LONG_MS)).toMatchObject({ kind: 'answered' });
  });

  it('forget an answer when its time is over', async () => {
    const own = claim();
    await sut.records.begin(own, LONG_MS);
    await sut.records.answer(own, 'the answer', 20);
    await eventually(async () => (await sut.other.begin(claim({ fingerprint: 'g' }), LONG_MS)).kind === 'begun');
  });

  it('give released work to the next one, and do not let a former holder release it', async () => {
    const [first, second] = [claim(), claim()];
    await sut.records.begin(first, LONG_MS);
    await sut.records.release(first);
    expect(await sut.other.begin(second, LONG_MS)).toEqual({ kind: 'begun', mayBeDone: false });
    await sut.records.release(first);
    expect(await sut.records.begin(claim(), LONG_MS)).toMatchObject({ kind: 'running' });
  });

  it('give the work of a silent holder to another one, and take no answer of the former', async () => {
    const [silent, next] = [claim(), claim()];
    await sut.records.begin(silent, 20);
    await eventually(async () => (await sut.other.begin(next, LONG_MS)).kind === 'begun');
    expect(await sut.records.hold(silent, { leaseMs: LONG_MS })).toBe(false);
    expect(await sut.records.answer(silent, 'late', LONG_MS)).toBe(false);
    expect(await sut.other.answer(next, 'right', LONG_MS)).toBe(true);
    expect(await sut.records.answer(silent, 'late', LONG_MS)).toBe(false);
    expect(await sut.records.begin(claim(), LONG_MS)).toEqual({ kind: 'answered', answer: 'right' });
  });

  it('take the late answer of a silent holder whom nobody has followed', async () => {
    const silent = claim();
    await sut.records.begin(silent, 1);
    await eventually(async () => !(await sut.records.hold(silent, { leaseMs: 1 })));
    expect(await sut.records.answer(silent, 'late', LONG_MS)).toBe(true);
    expect(await sut.other.begin(claim(), LONG_MS)).toEqual({ kind: 'answered', answer: 'late' });
  });

  it('keep the work of a holder that gives signs of life', async () => {
    const own = claim();
    await sut.records.begin(own, 200);
    expect(await sut.records.hold(own, { leaseMs: LONG_MS })).toBe(true);
    const { leftMs } = (await sut.other.begin(claim(), LONG_MS)) as { leftMs: number };
    expect(leftMs).toBeGreaterThan(200);
  });

  it('give work that cannot be repeated to nobody else, unless it is answered', async () => {
    const [gone, alive] = [claim(), claim({ key: 'alive' })];
    for (const each of [gone, alive]) {
      await sut.records.begin(each, LONG_MS);
      expect(await sut.records.hold(each, { leaseMs: 20, unrepeatableMs: LONG_MS })).toBe(true);
    }
    await eventually(async () => (await sut.other.begin(claim(), LONG_MS)).kind === 'abandoned');
    expect(await sut.other.begin(claim({ fingerprint: 'g' }), LONG_MS)).toEqual({ kind: 'mismatch' });
    await sut.records.hold(alive, { leaseMs: 1 });
    expect(await sut.records.answer(alive, 'done', LONG_MS)).toBe(true);
    expect(await sut.other.begin(claim({ key: 'alive' }), LONG_MS)).toEqual({ kind: 'answered', answer: 'done' });
  });

  it('tell later holders that the work may be done, until it is answered', async () => {
    const own = claim();
    await sut.records.begin(own, LONG_MS);
    expect(await sut.records.hold(own, { leaseMs: LONG_MS, mayBeDoneMs: LONG_MS })).toBe(true);
    expect(await sut.records.begin(own, LONG_MS)).toEqual({ kind: 'begun', mayBeDone: false });
    expect(await sut.other.begin(claim(), LONG_MS)).toMatchObject({ kind: 'running' });
    await sut.records.hold(own, { leaseMs: 0, mayBeDoneMs: LONG_MS });
    expect(await sut.other.begin(claim({ fingerprint: 'g' }), LONG_MS)).toEqual({ kind: 'mismatch' });
    const [second, third] = [claim(), claim()];
    expect(await sut.other.begin(second, 1)).toEqual({ kind: 'begun', mayBeDone: true });
    await eventually(async () => (await sut.records.begin(third, LONG_MS)).kind === 'begun');
    expect(await sut.records.begin(third, LONG_MS)).toEqual({ kind: 'begun', mayBeDone: true });
    await sut.records.answer(third, 'the answer', LONG_MS);
    expect(await sut.other.begin(claim(), LONG_MS)).toEqual({ kind: 'answered', answer: 'the answer' });
  });

  it('do not say so of a holder that has released the work, but keep what was said before it', async () => {
    const [undone, lost, next] = [claim(), claim(), claim()];
    await sut.records.begin(undone, LONG_MS);
    await sut.records.hold(undone, { leaseMs: LONG_MS, mayBeDoneMs: LONG_MS });
    await sut.records.release(undone);
    expect(await sut.other.begin(lost, LONG_MS)).toEqual({ kind: 'begun', mayBeDone: false });
    await sut.other.hold(lost, { leaseMs: 0, mayBeDoneMs: LONG_MS });
    expect(await sut.records.begin(next, LONG_MS)).toEqual({ kind: 'begun', mayBeDone: true });
    await sut.records.hold(next, { leaseMs: LONG_MS, mayBeDoneMs: LONG_MS });
    await sut.records.hold(next, { leaseMs: LONG_MS });
    await sut.records.release(next);
    expect(await sut.other.begin(claim(), LONG_MS)).toEqual({ kind: 'begun', mayBeDone: true });
  });

  it('forget that the work may be done when the time for that is over', async () => {
    const own = claim();
    await sut.records.begin(own, LONG_MS);
    await sut.records.hold(own, { leaseMs: 0, mayBeDoneMs: 20 });
    await eventually(async () => {
      const next = claim();
      const { kind, ...rest } = await sut.other.begin(next, 1);
      await sut.other.release(next);
      return kind === 'begun' && !(rest as { mayBeDone: boolean }).mayBeDone;
    });
  });

  it('give up work that cannot be repeated at once', async () => {
    const own = claim();
    await sut.records.begin(own, LONG_MS);
    await sut.records.hold(own, { leaseMs: LONG_MS, unrepeatableMs: LONG_MS });
    await sut.records.hold(own, { leaseMs: 0, unrepeatableMs: LONG_MS });
    expect(await sut.other.begin(claim(), LONG_MS)).toEqual({ kind: 'abandoned' });
  });
});

it('[C3] MemoryIdempotencyRecords keep so many keys and no more', async () => {
  const records = new MemoryIdempotencyRecords(2);
  for (const key of ['a', 'b', 'c']) {
    const own = claim({ key });
    await records.begin(own, LONG_MS);
    await records.answer(own, key, LONG_MS);
  }
  expect(await records.begin(claim({ key: 'c' }), LONG_MS)).toEqual({ kind: 'answered', answer: 'c' });
  expect(await records.begin(claim({ key: 'a' }), LONG_MS)).toEqual({ kind: 'begun', mayBeDone: false });
});

it('[C3] RedisIdempotencyRecords reject at once while the server is away', async () => {
  const redis = createRedisClient({ url: 'redis://127.0.0.1:1' });
  const records = new RedisIdempotencyRecords(redis, 'contract');
  const away = { code: 'IDEMPOTENCY_UNAVAILABLE', retryable: true };
  await expect(records.begin(claim(), 1_000)).rejects.toMatchObject(away);
  await expect(records.hold(claim(), { leaseMs: 1_000 })).rejects.toMatchObject(away);
  await expect(records.answer(claim(), 'a', 1_000)).rejects.toMatchObject(away);
  await expect(records.release(claim())).rejects.toMatchObject(away);
  redis.disconnect();
});

async function endlessKeys(redis: RedisClient, pattern: string): Promise<string[]> {
  const keys = await redis.keys(pattern);
  const left = await Promise.all(keys.map((key) => redis.pttl(key)));
  return keys.filter((_, i) => left[i] === -1);
}
