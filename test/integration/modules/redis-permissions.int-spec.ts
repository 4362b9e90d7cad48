import { afterEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { useRedis } from '../../support/redis/use-redis.js';
import { permissionsOf, smallestAcl, without } from '../../support/redis/smallest-acl.js';
import { Portal } from './support/portal.js';
import { IDS } from './support/recorded-org.js';

const APP = 'evergreen';
const RULES = smallestAcl(APP);
/**
 * Whether to take away each of the user's permissions at the start and while running (`PERMISSIONS=all`), or a sample.
 */
const IS_WHOLE = process.env['PERMISSIONS'] === 'all';
const SEED = Number(process.env['PERMISSIONS_SEED'] ?? Date.now() % 1_000_000);
const SAMPLE = { start: 6, running: 14 };
/** Permissions whose loss has no effect until the connection for messages is made again. */
const ONLY_AT_START = ['+subscribe'];
/** How long an answer may take on a busy machine. */
const ANSWER_MS = 5_000;
const PATHS = ['/api/orders', `/api/orders/${IDS.aliceOrder}`, '/api/catalog', '/api/invoices'];
const HEALTH = ['/health', '/health/orders/cache', '/health/sf-events', '/health/live'];

describe(`[B1] the product without one permission (PERMISSIONS_SEED=${SEED})`, () => {
  const redis = useRedis();
  const portals: Portal[] = [];
  let lines: string[] = [];
  afterEach(async () => {
    await Promise.all(portals.splice(0).map((portal) => portal.close()));
    await redis.admin.flushall();
  });

  const allow = (rules: readonly string[]) => redis.admin.acl('SETUSER', 'bff', 'reset', 'on', '>password', ...rules);
  const open = async () => {
    lines = [];
    const portal = await Portal.open(
      {
        REDIS_URL: `redis://bff:password@127.0.0.1:${redis.server.port}`,
        REDIS_COMMAND_TIMEOUT_MS: '2000',
        SF_EVENTS_ENABLED: 'false', // this process consumes no change events
        LOG_LEVEL: 'info',
      },
      { write: (line) => void lines.push(line) },
    );
    portals.push(portal);
    return portal;
  };
  const refusals = () =>
    lines
      .map((line) => (JSON.parse(line) as { msg?: string }).msg ?? '')
      .filter((msg) => msg.startsWith('Redis refuses'));
  const health = async (portal: Portal) => {
    const { redis } = (await portal.anonymous('/health')).json().details as {
      redis: { status: string; reason?: string };
    };
    return redis;
  };
  /** Makes requests as customers and operators do; returns those that failed or were not answered in time. */
  const useAll = async (portal: Portal) => {
    const body = { items: [{ productId: IDS.fibre, quantity: 1 }] };
    const answers = await Promise.all([
      ...PATHS.map(async (path) => timed(path, portal.get('alice', path))),
      ...HEALTH.map(async (path) => timed(path, portal.anonymous(path))),
      timed('an order', portal.post('alice', '/api/orders', body)),
    ]);
    return answers.filter(({ status, ms }) => (status !== 200 && status !== 201) || ms > ANSWER_MS);
  };
  /**
   * Waits until health shows the line that repairs the loss, for a second and a tolerance for the machine. Fails unless
   * the log has it as well, and says nothing twice.
   */
  const isTold = async (portal: Portal, permission: string) => {
    const line = `ACL SETUSER bff ${permission}`;
    const tells = async () => (await health(portal)).reason?.includes(line) === true;
    await eventually(tells, { withinMs: 6_000, what: `health says ${line}` });
    expect(await health(portal)).toMatchObject({ status: 'degraded' });
    const told = refusals().filter((msg) => msg.includes(line));
    expect(told.length).toBeGreaterThanOrEqual(1);
    expect(told).toEqual([...new Set(told)]); // no message comes twice
    expect(new Set(refusals()).size).toBe(refusals().length);
  };
  const isWellAgain = async (portal: Portal) => {
    await allow(RULES);
    const isUp = async () => (await health(portal)).status === 'up';
    await eventually(isUp, { withinMs: 10_000, what: 'health is up again' });
    expect(await useAll(portal)).toEqual([]);
  };

  const all = permissionsOf(RULES);
  it.each(sample(all, SAMPLE.start, SEED))('%s is missing when it starts', async (permission) => {
    await redis.admin.acl('SETUSER', 'bff', ...without(RULES, permission));
    const portal = await open();
    expect(await useAll(portal)).toEqual([]);
    await isTold(portal, permission);
    expect(await useAll(portal)).toEqual([]);
    await isWellAgain(portal);
  });

  it('one after the other is taken away while it runs', async () => {
    await allow(RULES);
    const portal = await open();
    const running = all.filter((permission) => !ONLY_AT_START.includes(permission));
    for (const permission of sample(running, SAMPLE.running, SEED + 1)) {
      expect(await useAll(portal)).toEqual([]);
      lines = [];
      await redis.admin.acl('SETUSER', 'bff', ...without(RULES, permission));
      const failures = await useAll(portal);
      await isTold(portal, permission);
      failures.push(...(await useAll(portal)));
      expect({ permission, failures }).toEqual({ permission, failures: [] });
      await isWellAgain(portal);
    }
  }, 900_000);

  it('names what is missing to a user of Redis 7 without any channel, and answers everything', async () => {
    await redis.admin.acl('SETUSER', 'bff', 'reset', 'on', '>password', '~*', '+@all', 'resetchannels');
    const portal = await open();
    expect(await useAll(portal)).toEqual([]);
    await isTold(portal, `&{${APP}.v2.P* &{${APP}}:ak:*`);
    await isWellAgain(portal);
  });

  it('an order that was placed is answered so, although a key of the cache is of a type that nobody expects', async () => {
    await allow(RULES);
    const portal = await open();
    expect(await useAll(portal)).toEqual([]);
    const key = `{${APP}.v2.P1:0}:iv`;
    await redis.admin.del(key);
    await redis.admin.set(key, 'not a sorted set');
    const body = { items: [{ productId: IDS.fibre, quantity: 1 }] };
    expect((await portal.post('alice', '/api/orders', body)).statusCode).toBe(201);
    expect(await health(portal)).toMatchObject({ status: 'degraded', owedInvalidations: expect.any(Number) });
    expect(lines.filter((line) => line.includes('left to the change event')).length).toBe(1);
    await redis.admin.del(key);
    await eventually(async () => (await health(portal)).status === 'up', { what: 'what was owed is carried out' });
  });
});

async function timed(what: string, answer: Promise<{ statusCode: number }>) {
  const begin = performance.now();
  const { statusCode: status } = await answer;
  return { what, status, ms: Math.round(performance.now() - begin) };
}

/** A random sample of this size; all of them with `PERMISSIONS=all`. */
function sample(from: readonly string[], count: number, seed: number): string[] {
  if (IS_WHOLE) return [...from];
  let state = seed % 2_147_483_647 || 1;
  const random = () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647; // Park and Miller's generator
  const left = [...from];
  return Array.from({ length: Math.min(count, left.length) }, () =>
    left.splice(Math.floor(random() * left.length), 1).join(),
  );
}
