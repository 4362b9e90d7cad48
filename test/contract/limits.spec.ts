import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Caller } from '@bff/infra/callers/caller';
import { Charges, collectCharges } from '@bff/infra/limits/charges';
import type { Limits, Policies, WorkClass } from '@bff/infra/limits/limits';
import { MemoryLimits } from '@bff/infra/limits/memory/memory-limits';
import { RedisLimits } from '@bff/infra/limits/redis/redis-limits';
import { eventually } from '../support/eventually.js';
import { startRedisServer, type RedisServer } from '../support/redis/redis-server.js';
import { connectRedis } from './redis-under-test.js';

/** A minute outlasts each test; streams have a short window, so that a test sees it end. */
const POLICIES: Policies = {
  request: { points: 50, windowSeconds: 60 },
  fetch: { points: 60, windowSeconds: 60 },
  write: { points: 5, windowSeconds: 60 },
  stream: { points: 2, windowSeconds: 1 },
};
const PROCESSES = 4;
const LIMITED: readonly WorkClass[] = ['request', 'fetch', 'write'];

const alice: Caller = { subject: 'alice', account: 'home' };
const bob: Caller = { subject: 'bob', account: 'home' };
const carol: Caller = { subject: 'carol', account: 'office' };
const dave: Caller = { subject: 'dave', account: undefined };

interface LimitsUnderTest {
  readonly limits: Limits;
  close(): Promise<void>;
}

let server: RedisServer;
beforeAll(async () => {
  server = await startRedisServer();
});
afterAll(() => server.stop());

const implementations: readonly { name: string; create: () => Promise<LimitsUnderTest> }[] = [
  {
    name: 'memory',
    create: async () => ({ limits: new MemoryLimits(POLICIES), close: async () => undefined }),
  },
  {
    name: 'Redis',
    create: async () => {
      const redis = await connectRedis(server);
      const limits = new RedisLimits(redis, `contract-${randomUUID()}`, POLICIES, PROCESSES);
      return { limits, close: async () => redis.disconnect() };
    },
  },
];

/** Charges the caller this many times at once; returns how many charges were accepted. */
async function accepted(limits: Limits, work: WorkClass, caller: Caller, times: number): Promise<number> {
  const all = await Promise.allSettled(Array.from({ length: times }, () => limits.charge(work, caller)));
  for (const each of all) if (each.status === 'rejected') expect(each.reason).toMatchObject({ code: 'RATE_LIMITED' });
  return all.filter(({ status }) => status === 'fulfilled').length;
}

describe.each(implementations)('Limits: $name', ({ create }) => {
  let sut: LimitsUnderTest;
  beforeEach(async () => {
    sut = await create();
  });
  afterEach(() => sut.close());

  it.each(LIMITED)('[C2] accept exactly as many charges of a %s as its policy has, at once', async (work) => {
    const { points } = POLICIES[work];
    expect(await accepted(sut.limits, work, alice, points + 30)).toBe(points);
    expect(await accepted(sut.limits, work, alice, 1)).toBe(0);
    expect(await accepted(sut.limits, work, carol, 1)).toBe(1);
  });

  it.each(LIMITED)('[C2] and as many one after the other', async (work) => {
    const { points } = POLICIES[work];
    let count = 0;
    for (let i = 0; i < points + 5; i++) count += await accepted(sut.limits, work, alice, 1);
    expect(count).toBe(points);
  });

  it('let the users of an account share its fetches and writes, and not their requests and streams', async () => {
    await accepted(sut.limits, 'fetch', alice, 60);
    await accepted(sut.limits, 'write', alice, 5);
    await accepted(sut.limits, 'request', alice, 50);
    await accepted(sut.limits, 'stream', alice, 2);
    expect(await accepted(sut.limits, 'fetch', bob, 1)).toBe(0);
    expect(await accepted(sut.limits, 'write', bob, 1)).toBe(0);
    expect(await accepted(sut.limits, 'request', bob, 1)).toBe(1);
    expect(await accepted(sut.limits, 'stream', bob, 1)).toBe(1);
  });

  it('charge a user without an account by itself, and nobody for work of the process', async () => {
    expect(await accepted(sut.limits, 'write', dave, 6)).toBe(5);
    for (let i = 0; i < 10; i++) await sut.limits.charge('write', undefined);
  });

  it('say when to come back, and accept again then', async () => {
    await accepted(sut.limits, 'stream', alice, 2);
    const refusal = await sut.limits.charge('stream', alice).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ policy: 'stream', retryAfterSeconds: 1, retryable: true });
    await eventually(async () => (await accepted(sut.limits, 'stream', alice, 1)) === 1);
  });

  it('tell the work under way what it was charged, refused or not', async () => {
    const charges = new Charges();
    await collectCharges(charges, async () => {
      await sut.limits.charge('write', alice);
      await sut.limits.charge('request', alice);
      await sut.limits.charge('write', alice);
    });
    const left = () => charges.standings.map(({ work, remaining }) => [work, remaining]);
    expect(left()).toEqual([
      ['request', 49],
      ['write', 3],
    ]);
    expect(charges.standings[1]?.resetSeconds).toBe(60);
    await collectCharges(charges, () => accepted(sut.limits, 'write', alice, 10));
    expect(left()[1]).toEqual(['write', 0]);
  });
});
