import { toSalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import { afterEach, describe, expect, it } from '@jest/globals';
import { useRedis } from '../../support/redis/use-redis.js';
import { Portal } from './support/portal.js';
import { IDS } from './support/recorded-org.js';

const madeUp = (n: number) => toSalesforceId(`801000000${String(100_000 + n)}`);
/** The most absent orders of an account that are kept at a time. */
const ABSENT_MAX = 100;

let portal: Portal;
afterEach(() => portal.close());

describe('[C4] an order of another account', () => {
  const redis = useRedis();

  /** What a request for this order costs Salesforce, and which keys are in Redis for it afterwards. */
  const traceOf = async (id: string) => {
    const queries = portal.org.queries['Order'] ?? 0;
    const answer = await portal.get('alice', `/api/orders/${id}`);
    const { instance: _i, requestId: _r, ...body } = answer.json();
    const keys = (await redis.admin.keys(`*${id}*`)).filter((key) => !key.includes(IDS.bob));
    return {
      status: answer.statusCode,
      body,
      queries: (portal.org.queries['Order'] ?? 0) - queries,
      keys: keys.map((key) => key.replace(id, '<id>')).sort(),
    };
  };

  it('costs the same calls, leaves the same keys and gets the same answer as one that does not exist', async () => {
    portal = await Portal.open({ REDIS_URL: redis.server.url, SF_EVENTS_ENABLED: 'false', CACHE_PARTITIONS: '1' });
    await portal.get('bob', `/api/orders/${IDS.bobOrder}`);
    const [foreign, absent] = [await traceOf(IDS.bobOrder), await traceOf(madeUp(1))];
    expect(foreign).toEqual(absent);
    expect(foreign).toMatchObject({ status: 404, queries: 1, keys: [expect.any(String), expect.any(String)] });
    const again = [await traceOf(IDS.bobOrder), await traceOf(madeUp(1))];
    expect(again[0]).toEqual(again[1]);
    expect(again[0]).toEqual({ ...foreign, queries: 0 });
    expect((await portal.get('bob', `/api/orders/${IDS.bobOrder}`)).statusCode).toBe(200);
  });

  it('is remembered as absent for ten seconds at most, in keys that end', async () => {
    await redis.admin.flushall();
    portal = await Portal.open({ REDIS_URL: redis.server.url, SF_EVENTS_ENABLED: 'false', CACHE_PARTITIONS: '1' });
    await portal.get('alice', `/api/orders/${IDS.bobOrder}`);
    const entries = await redis.admin.keys('*:e:orders:detail:*');
    expect(entries).toEqual([expect.stringMatching(new RegExp(`:e:orders:detail:${IDS.alice}:${IDS.bobOrder}$`))]);
    const leftMs = await redis.admin.pttl(entries[0] as string);
    expect(leftMs).toBeGreaterThan(0);
    expect(leftMs).toBeLessThanOrEqual(10_000);
  });
});

describe('[C4] ids that a customer makes up', () => {
  const entries = async () => (await portal.anonymous('/health')).json().details.store.entries as number;
  const ask = async (user: string, ids: readonly string[]) => {
    for (const id of ids) expect((await portal.get(user, `/api/orders/${id}`)).statusCode).toBe(404);
  };

  it('are asked for once, and only so many of an account are kept', async () => {
    portal = await Portal.open();
    await portal.get('alice', '/api/orders');
    await portal.get('bob', '/api/orders');
    const before = await entries();
    await ask('alice', [madeUp(0), madeUp(0), madeUp(0)]);
    expect([await entries(), portal.org.queries['Order']]).toEqual([before + 1, 3]);
    await ask(
      'alice',
      Array.from({ length: ABSENT_MAX + 30 }, (_, n) => madeUp(n)),
    );
    expect(await entries()).toBeLessThanOrEqual(before + ABSENT_MAX);
    await ask('bob', [madeUp(0)]); // another account has a share of its own
    expect(await entries()).toBeLessThanOrEqual(before + ABSENT_MAX + 1);
  });

  it('do not hide an order that comes to be', async () => {
    portal = await Portal.open();
    const id = madeUp(7);
    await ask('alice', [id]);
    const [first] = portal.org.orders;
    portal.org.orders.push({ ...first, Id: id });
    await portal.events.change('Order', id, { changeType: 'CREATE', fields: { AccountId: IDS.alice } });
    expect((await portal.get('alice', `/api/orders/${id}`)).statusCode).toBe(200);
  });
});

describe('[C10] a row of another account that the source sends by mistake', () => {
  it.each(['/api/orders', `/api/orders/${IDS.aliceOrder}`, '/api/catalog/eligibility'])(
    'refuses the whole answer of %s, is not kept, and is in no answer',
    async (url) => {
      portal = await Portal.open();
      const { query } = portal.org;
      portal.org.query = async <T>(soql: { readonly text: string }) => {
        const rows = await query.call<typeof portal.org, [typeof soql], Promise<T[]>>(portal.org, soql);
        if (/FROM Order /.test(soql.text)) return [...rows, ...portal.org.orders.slice(1, 2)] as T[];
        return /Internet_Eligibility__c/.test(soql.text) ? ([portal.org.accounts[1]] as T[]) : rows;
      };
      const answer = await portal.get('alice', url);
      expect(answer.statusCode).toBe(502);
      expect(answer.json()).toMatchObject({ code: 'SALESFORCE_INVALID_ANSWER' });
      expect(answer.body).not.toContain(IDS.bob);
      expect(answer.body).not.toContain(IDS.bobOrder);
      portal.org.query = query;
      expect((await portal.get('alice', url)).statusCode).toBe(200);
    },
  );
});
