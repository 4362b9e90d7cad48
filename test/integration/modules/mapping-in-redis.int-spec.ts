import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Pseudonyms } from '@bff/infra/callers/pseudonyms';
import { NotifiedPortal, type ListeningBff } from './support/notified-portal.js';
import { IDS } from './support/recorded-org.js';

/** Offsets in the header of an entry: its codec (0: plain JSON), and the length of its dependencies. */
const CODEC_AT = 7;
const DEPENDENCIES_LENGTH_AT = 32;
const HEADER_BYTES = 36;

let portal: NotifiedPortal;
let redis: Redis;
beforeEach(async () => {
  portal = await NotifiedPortal.onRedis({ CACHE_L1: 'off' });
  redis = new Redis(portal.redis?.url as string);
  for (const user of ['alice', 'bob']) await ordersOf(user);
});
afterEach(async () => {
  redis.disconnect();
  await portal.close();
});

async function ordersOf(user: string): Promise<string[]> {
  return ((await portal.get(user, '/api/orders')) as { id: string }[]).map(({ id }) => id);
}

/** The key of a user's mapping in Redis. */
async function mappingKey(user: string): Promise<string> {
  const pseudonym = (portal.bffs[0] as ListeningBff).app.get(Pseudonyms).of('subject', user);
  const [key, ...others] = await redis.keys(`*:mapping:userId:${pseudonym}`);
  if (key === undefined || others.length > 0) throw new Error(`the mapping of ${user} is not one key`);
  return key;
}

/** Every name and every value in Redis, as one text. */
async function everything(): Promise<string> {
  const keys = await redis.keys('*');
  const dumps = await Promise.all(keys.map((key) => redis.dumpBuffer(key)));
  return [...keys, ...dumps.map((dump) => dump?.toString('latin1') ?? '')].join('\n');
}

describe('[C5] the mapping of a user in Redis', () => {
  it('can be read by nobody, and no name tells the user', async () => {
    const all = await everything();
    expect(all).toContain('mapping:userId:');
    expect(all).not.toMatch(/alice|bob|salesforceAccountId|whmcsClientId/);
  });

  it('is not believed when it was copied from another user', async () => {
    await redis.set(await mappingKey('alice'), (await redis.getBuffer(await mappingKey('bob'))) as Buffer);
    const queries = portal.org.queries['Account'] ?? 0;
    expect(await ordersOf('alice')).toEqual([IDS.aliceOrder]);
    expect(portal.org.queries['Account']).toBe(queries + 1);
  });

  it('is not believed when it was written without the key', async () => {
    const alice = await mappingKey('alice');
    const entry = (await redis.getBuffer(alice)) as Buffer;
    const valueAt = HEADER_BYTES + entry.readUInt32BE(DEPENDENCIES_LENGTH_AT);
    const header = Buffer.from(entry.subarray(0, valueAt));
    header[CODEC_AT] = 0;
    const forged = JSON.stringify({ salesforceAccountId: IDS.bob, whmcsClientId: null });
    await redis.set(alice, Buffer.concat([header, Buffer.from(forged)]));
    const queries = portal.org.queries['Account'] ?? 0;
    expect(await ordersOf('alice')).toEqual([IDS.aliceOrder]);
    expect(portal.org.queries['Account']).toBe(queries + 1);
    // It was replaced, and the new one is believed.
    expect((await redis.getBuffer(alice))?.[CODEC_AT]).toBe(1);
    await ordersOf('alice');
    expect(portal.org.queries['Account']).toBe(queries + 1);
  });
});
