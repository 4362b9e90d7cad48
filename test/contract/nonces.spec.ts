import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { MemoryNonces } from '@bff/infra/nonces/memory/memory-nonces';
import type { Nonces } from '@bff/infra/nonces/nonces';
import { RedisNonces } from '@bff/infra/nonces/redis/redis-nonces';
import { createRedisClient } from '@bff/infra/redis/redis-client';
import { eventually } from '../support/eventually.js';
import { startRedisServer, type RedisServer } from '../support/redis/redis-server.js';
import { connectRedis } from './redis-under-test.js';

interface NoncesUnderTest {
  readonly nonces: Nonces;
  /** The same nonces as another process sees them. */
  readonly other: Nonces;
  close(): Promise<void>;
}

let server: RedisServer;
beforeAll(async () => {
  server = await startRedisServer();
});
afterAll(() => server.stop());

const implementations: readonly { name: string; create: () => Promise<NoncesUnderTest> }[] = [
  {
    name: 'memory',
    create: async () => {
      const nonces = new MemoryNonces();
      return { nonces, other: nonces, close: async () => undefined };
    },
  },
  {
    name: 'Redis',
    create: async () => {
      const appName = `contract-${randomUUID()}`;
      const connections = [await connectRedis(server), await connectRedis(server)] as const;
      const [nonces, other] = connections.map((redis): Nonces => new RedisNonces(redis, appName)) as [Nonces, Nonces];
      return { nonces, other, close: async () => connections.forEach((redis) => redis.disconnect()) };
    },
  },
];

describe.each(implementations)('Nonces: $name', ({ create }) => {
  let sut: NoncesUnderTest;
  beforeEach(async () => {
    sut = await create();
  });
  afterEach(() => sut.close());

  it('give a nonce to one claimant, however many ask at once in all processes', async () => {
    const all = Array.from({ length: 50 }, (_, i) => (i % 2 ? sut.nonces : sut.other).claim('n', 60_000));
    const claims = await Promise.all(all);
    expect(claims.filter((claim) => claim === 'claimed')).toHaveLength(1);
    expect(await sut.other.claim('another', 60_000)).toBe('claimed');
  });

  it('give it again when it was released, and not when it was kept', async () => {
    await sut.nonces.claim('released', 60_000);
    await sut.nonces.release('released');
    expect(await sut.other.claim('released', 60_000)).toBe('claimed');
    await sut.nonces.claim('kept', 20);
    await sut.nonces.keep('kept', 60_000);
    const soon = await sut.nonces.claim('not kept', 20);
    expect(soon).toBe('claimed');
    await eventually(async () => (await sut.other.claim('not kept', 60_000)) === 'claimed');
    expect(await sut.other.claim('kept', 60_000)).toBe('known');
  });
});

it('RedisNonces reject while the server is away', async () => {
  const redis = createRedisClient({ url: 'redis://127.0.0.1:1' });
  const nonces = new RedisNonces(redis, 'contract');
  await expect(nonces.claim('n', 1_000)).rejects.toMatchObject({ code: 'NONCES_UNAVAILABLE', retryable: true });
  redis.disconnect();
});
