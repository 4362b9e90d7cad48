import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { StoreUnavailableError } from '@bff/infra/cache/cache.errors';
import { RedisProcessReports } from '@bff/infra/fleet/redis/redis-process-reports';
import { createRedisClient, type RedisClient } from '@bff/infra/redis/redis-client';
import { Redis } from 'ioredis';
import { eventually } from '../../support/eventually.js';
import { startRedisServer, type RedisServer } from '../../support/redis/redis-server.js';

const TOPIC = 'domain:orders';
/** More than are kept apart. */
const OTHERS = 40;

let server: RedisServer;
let admin: Redis;
const open: { client: RedisClient; reports: RedisProcessReports }[] = [];

async function join(processId: string) {
  const client = createRedisClient({ url: server.url });
  await client.connect();
  const joined = { client, reports: new RedisProcessReports(client, 'ended', processId) };
  open.push(joined);
  return joined;
}

async function hits({ reports }: { reports: RedisProcessReports }): Promise<number> {
  const { live, ended } = await reports.readCounters(TOPIC);
  return [...live, ...ended].reduce((sum, { content }) => sum + (content as { hits: number }).hits, 0);
}

beforeAll(async () => {
  server = await startRedisServer();
  admin = new Redis(server.url);
});
afterAll(async () => {
  await Promise.all(open.map(({ reports }) => reports.close()));
  for (const { client } of open) client.disconnect();
  admin.disconnect();
  await server.stop();
});

it('[N9] a process that was cut off so long that it was added up is not counted twice when it is back', async () => {
  const cutOff = await join('cut-off');
  let counted = 10;
  cutOff.reports.publishCounters(TOPIC, () => ({ hits: counted }));
  await eventually(async () => (await hits(cutOff)) === 10, { what: 'it is counted' });
  cutOff.client.disconnect();
  await admin.del(`{ended.reports}:${TOPIC}:cut-off`); // what Redis does by itself after 5 s
  const others = await Promise.all(Array.from({ length: OTHERS }, (_, n) => join(`other-${n}`)));
  for (const [n, other] of others.entries()) {
    other.reports.publishCounters(TOPIC, () => ({ hits: 1 }));
    expect(await hits(other)).toBe(10 + n + 1);
  }
  const last = others.at(-1) as (typeof others)[number];
  expect(await admin.hget(`{ended.reports}:counted:${TOPIC}`, 'cut-off')).toBeNull();
  counted = 25; // it has gone on counting
  await cutOff.client.connect();
  expect(await hits(cutOff)).toBe(25 + OTHERS);
  expect(await hits(last)).toBe(25 + OTHERS);
  counted = 26;
  await cutOff.reports.close();
  expect(await hits(last)).toBe(26 + OTHERS);
});

/** Adds up what Redis knows of a process, as a new process does for one that has not written for 5 s. */
async function addUp(processId: string): Promise<void> {
  await admin.del(`{ended.reports}:${TOPIC}:${processId}`);
  for (let n = 0; n < OTHERS; n++) {
    const { reports } = await join(`after-${processId}-${n}`);
    reports.publishCounters(TOPIC, () => ({ hits: 0 }));
    await reports.readCounters(TOPIC);
    await reports.close();
    if ((await admin.hget(`{ended.reports}:counted:${TOPIC}`, processId)) === null) return;
  }
  throw new Error(`${processId} was not added up`);
}

it('[N9] a process that was added up is not counted twice when several ask for the counters at once', async () => {
  const asked = await join('asked');
  const before = await hits(asked);
  asked.reports.publishCounters(TOPIC, () => ({ hits: 100 }));
  expect(await hits(asked)).toBe(before + 100);
  await addUp('asked');
  const sums = await Promise.all(Array.from({ length: 5 }, () => hits(asked)));
  expect([...sums, await hits(asked)]).toEqual(Array.from({ length: 6 }, () => before + 100));
});

it('[N9] a process that was added up after a reply was lost is not counted twice', async () => {
  const unheard = await join('unheard');
  const before = await hits(unheard);
  let counted = 100;
  unheard.reports.publishCounters(TOPIC, () => ({ hits: counted }));
  expect(await hits(unheard)).toBe(before + 100);
  const commands = unheard.client as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
  const carriedOut = commands.evergreen_reports_count as (...args: unknown[]) => Promise<unknown>;
  commands.evergreen_reports_count = async (...args) => {
    await carriedOut.apply(unheard.client, args);
    throw new Error('Connection is closed.');
  };
  counted = 150;
  await expect(hits(unheard)).rejects.toThrow(StoreUnavailableError);
  await eventually(
    async () => (await admin.hget(`{ended.reports}:counted:${TOPIC}`, 'unheard'))?.includes('150') === true,
    { what: 'it is counted without a reply' },
  );
  commands.evergreen_reports_count = () => Promise.reject(new Error('Connection is closed.'));
  await addUp('unheard');
  commands.evergreen_reports_count = carriedOut;
  expect(await hits(unheard)).toBe(before + 150);
  counted = 151;
  expect(await hits(unheard)).toBe(before + 151);
});

it('[N9] the counters of an emptied Redis begin with those of the live processes', async () => {
  const one = await join('one');
  one.reports.publishCounters(TOPIC, () => ({ hits: 7 }));
  expect(await hits(one)).toBeGreaterThan(7);
  await Promise.all(open.filter((each) => each !== one).map(({ reports }) => reports.close()));
  await admin.flushall();
  expect(await hits(one)).toBe(7);
});

it('[N9] [B1] the smallest user of Redis may count', async () => {
  await admin.acl('SETUSER', 'smallest', 'on', '>pw', '~{ended.reports}:*', '+@all');
  const client = createRedisClient({ url: server.url.replace('redis://', 'redis://smallest:pw@') });
  await client.connect();
  const reports = new RedisProcessReports(client, 'ended', 'smallest');
  open.push({ client, reports });
  reports.publishCounters('domain:smallest', () => ({ hits: 3 }));
  const { live } = await reports.readCounters('domain:smallest');
  expect(live).toMatchObject([{ processId: 'smallest', content: { hits: 3 } }]);
});
