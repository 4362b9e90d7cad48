import { toSalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import { loadConfig } from '@bff/modules/config/load-config';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { Portal } from './support/portal.js';
import { IDS } from './support/recorded-org.js';

let portal: Portal;

beforeEach(async () => {
  portal = await Portal.open();
});
afterEach(() => portal.close());

/** Reads these addresses as Alice; returns for each whether it caused a query to Salesforce. */
async function fetched(...urls: string[]): Promise<boolean[]> {
  const answers: boolean[] = [];
  for (const url of urls) {
    const before = Object.values(portal.org.queries).reduce((sum, count) => sum + count, 0);
    expect((await portal.get('alice', url)).statusCode).toBe(200);
    answers.push(Object.values(portal.org.queries).reduce((sum, count) => sum + count, 0) > before);
  }
  return answers;
}

describe('an order change', () => {
  const urls = ['/api/orders', `/api/orders/${IDS.aliceOrder}`];

  it('[P3] to internal fields only keeps every entry and counts no invalidation', async () => {
    await fetched(...urls);
    const changedFields = ['Activation_Status__c', 'LastModifiedDate'];
    await portal.events.change('Order', IDS.aliceOrder, { changedFields });
    expect(await fetched(...urls)).toEqual([false, false]);
    expect((await portal.metrics('orders')).invalidations).toBe(0);
    const { topics } = (await portal.anonymous('/health/sf-events')).json();
    expect(topics.find((each: { topic: string }) => each.topic === '/data/OrderChangeEvent')).toMatchObject({
      skipped: 1,
      invalidations: 0,
      lastCommittedReplayId: '1',
    });
  });

  it('[P4] [P5] to a shown field drops its detail and its account’s list, and nobody else’s', async () => {
    await fetched(...urls);
    expect((await portal.get('bob', '/api/orders')).statusCode).toBe(200);
    const before = portal.org.queries['Order'];
    portal.org.orders[0]!['Status'] = 'Approved';
    await portal.events.change('Order', IDS.aliceOrder, { changedFields: ['Status', 'Activation_Status__c'] });
    expect((await portal.get('alice', '/api/orders')).json()[0].status).toBe('Approved');
    expect((await portal.get('alice', `/api/orders/${IDS.aliceOrder}`)).json().status).toBe('Approved');
    await portal.get('bob', '/api/orders');
    expect(portal.org.queries['Order']).toBe((before ?? 0) + 2);
    expect((await portal.metrics('orders')).invalidations).toBe(1);
  });

  it('[P6] of an item drops the detail and the list that were built from it', async () => {
    await fetched(...urls);
    await portal.events.change('OrderItem', IDS.bobItem, { changedFields: ['Quantity'] });
    expect(await fetched(...urls)).toEqual([false, false]);
    await portal.events.change('OrderItem', IDS.aliceItem, { changedFields: ['Quantity'] });
    expect(await fetched(...urls)).toEqual([true, true]);
  });

  it('[P7] that creates or deletes an order drops the list it belongs to', async () => {
    await fetched('/api/orders');
    const created = { changeType: 'CREATE', fields: { AccountId: IDS.bob } } as const;
    await portal.events.change('Order', toSalesforceId('801000000000009'), created);
    expect(await fetched('/api/orders')).toEqual([false]);
    await portal.events.change('Order', toSalesforceId('801000000000008'), {
      ...created,
      fields: { AccountId: IDS.alice },
    });
    expect(await fetched('/api/orders')).toEqual([true]);
    await portal.events.change('Order', IDS.aliceOrder, { changeType: 'DELETE' });
    expect(await fetched('/api/orders')).toEqual([true]);
  });

  it('[C4] that creates an order ends the answer "no such order", which is kept until then', async () => {
    const id = toSalesforceId('801000000000007');
    const status = async () => (await portal.get('alice', `/api/orders/${id}`)).statusCode;
    expect(await status()).toBe(404);
    portal.org.orders.push({ ...portal.org.orders[0], Id: id });
    expect(await status()).toBe(404);
    await portal.events.change('Order', id, { changeType: 'CREATE', fields: { AccountId: IDS.alice } });
    expect(await status()).toBe(200);
  });

  it('of a product renames it in the orders that show it', async () => {
    await fetched(...urls);
    await portal.events.change('Product2', IDS.fibre, { changedFields: ['Name'] });
    expect(await fetched(...urls)).toEqual([false, true]);
  });
});

describe('an account with 200 orders of 25 lines', () => {
  const line = (n: number) => toSalesforceId(`802${String(n).padStart(12, '0')}`);

  beforeEach(() => {
    const [template] = portal.org.orders;
    portal.org.orders.length = 0;
    for (let n = 0; n < 200; n++) {
      const records = Array.from({ length: 25 }, (_, i) => ({ Id: line(n * 25 + i) }));
      const Id = toSalesforceId(`801${String(n).padStart(12, '0')}`);
      portal.org.orders.push({ ...template, Id, OrderItems: { totalSize: 25, done: true, records } });
    }
  });

  it('[B9] is cached as any other, and a change of any one line drops it', async () => {
    const url = '/api/orders';
    expect(await fetched(url, url, url)).toEqual([true, false, false]);
    for (const changed of [0, 2_500, 4_999]) {
      await portal.events.change('OrderItem', line(changed), { changedFields: ['Quantity'] });
      expect(await fetched(url, url)).toEqual([true, false]);
    }
    expect((await portal.metrics('orders')).buckets['account']).toMatchObject({ misses: 4, folded: 4 });
  });
});

describe('a catalog change', () => {
  const urls = ['/api/catalog/internet', '/api/catalog/sim'];

  it('[P8] of a product drops the entries built from it alone', async () => {
    await fetched(...urls);
    await portal.events.change('Product2', IDS.fibre, { changedFields: ['Name'] });
    expect(await fetched(...urls)).toEqual([true, false]);
  });

  it('[P9] [E8] that brings a product no entry knows drops every product list', async () => {
    await fetched(...urls);
    await portal.events.change('Product2', toSalesforceId('01t000000000009'), { changeType: 'CREATE' });
    expect(await fetched(...urls)).toEqual([true, true]);
  });

  it('[P10] of a price drops its product’s entries, also when the price is new', async () => {
    await fetched(...urls);
    await portal.events.change('PricebookEntry', IDS.esimPrice, { changedFields: ['UnitPrice'] });
    expect(await fetched(...urls)).toEqual([false, true]);
    await portal.events.change('PricebookEntry', toSalesforceId('01u000000000002'), {
      changeType: 'CREATE',
      fields: { Product2Id: IDS.router },
    });
    expect(await fetched(...urls)).toEqual([true, false]);
  });

  it('[P13] of availability drops the short-lived entry too', async () => {
    await fetched('/api/catalog/internet');
    portal.org.products[0]!['Stock__c'] = 0;
    await portal.events.change('Product2', IDS.fibre, { changedFields: ['Stock__c'] });
    expect((await portal.get('alice', '/api/catalog/internet')).json().products[0].stock).toBe(0);
    expect((await portal.anonymous('/health/catalog/cache')).json().ttl.volatileSeconds).toBe(60);
  });
});

describe('an account change', () => {
  it('[P11] of eligibility drops that account’s entry alone', async () => {
    const urls = ['/api/catalog/eligibility', '/api/orders', '/api/catalog/internet'];
    await fetched(...urls);
    const topic = '/event/Account_Eligibility_Update__e';
    await portal.events.publish(topic, { Account_Id__c: IDS.bob });
    expect(await fetched(...urls)).toEqual([false, false, false]);
    await portal.events.publish(topic, { Account_Id__c: IDS.alice });
    expect(await fetched(...urls)).toEqual([true, false, false]);
  });

  it('that names a user whom another account names takes the data away from both', async () => {
    await fetched('/api/orders');
    portal.org.accounts[1]!['Portal_User_Id__c'] = 'alice';
    await portal.events.change('Account', IDS.bob, {
      changedFields: ['Portal_User_Id__c'],
      fields: { Portal_User_Id__c: 'alice' },
    });
    expect((await portal.get('alice', '/api/orders')).statusCode).toBe(403);
  });

  it.each(['GAP_UPDATE', 'UPDATE'] as const)(
    '[A4] that does not say whom it names (%s) lets no mapping stand; one that is created for nobody lets all',
    async (changeType) => {
      await fetched('/api/orders');
      portal.org.accounts[1]!['Portal_User_Id__c'] = 'alice';
      await portal.events.change('Account', IDS.bob, { changeType: 'CREATE', fields: { Name: 'Carol' } });
      expect((await portal.get('alice', '/api/orders')).statusCode).toBe(200);
      await portal.events.change('Account', IDS.bob, { changeType });
      expect((await portal.get('alice', '/api/orders')).statusCode).toBe(403);
    },
  );

  it('[A4] that takes an account from its user is seen at the next request', async () => {
    await fetched('/api/orders');
    portal.org.accounts[0]!['Portal_User_Id__c'] = null;
    const changedFields = ['Portal_User_Id__c'];
    await portal.events.change('Account', IDS.alice, { changedFields, fields: { Portal_User_Id__c: null } });
    expect((await portal.get('alice', '/api/orders')).statusCode).toBe(403);
  });

  it('[C2] that names a user at last lets that user in at once, who cost one query however often it has asked', async () => {
    const ask = async () => (await portal.get('carol', '/api/orders')).statusCode;
    const together = await Promise.all(Array.from({ length: 20 }, ask));
    expect([...new Set([...together, await ask(), await ask()])]).toEqual([403]);
    expect(portal.org.queries).toEqual({ Account: 1 });
    portal.org.accounts[1]!['Portal_User_Id__c'] = 'carol';
    await portal.events.change('Account', IDS.bob, {
      changedFields: ['Portal_User_Id__c'],
      fields: { Portal_User_Id__c: 'carol' },
    });
    expect(await ask()).toBe(200);
  });

  it('of its billing client is seen at the next request', async () => {
    expect((await portal.get('bob', '/api/invoices')).statusCode).toBe(409);
    portal.org.accounts[1]!['WHMCS_Client_Id__c'] = '99';
    await portal.events.change('Account', IDS.bob, { changedFields: ['WHMCS_Client_Id__c'] });
    expect((await portal.get('bob', '/api/invoices')).json()).toHaveLength(1);
  });
});

describe('the stream', () => {
  it('[P15] takes a replayed event', async () => {
    await fetched('/api/orders');
    for (const _ of [1, 2]) await portal.events.change('Order', IDS.aliceOrder, { changedFields: ['Status'] });
    expect(await fetched('/api/orders', '/api/orders')).toEqual([true, false]);
  });

  it('[N1] has a subscriber for every configured channel, and follows what the subscribers ask for, no list', async () => {
    const health = async () => (await portal.anonymous('/health/sf-events')).json();
    await eventually(async () => (await health()).status === 'up', { what: 'every feed is followed' });
    expect(await health()).toMatchObject({ consumers: 1, leader: expect.stringContaining(`:${process.pid}:`) });
    const subscriptions = portal.subscriptions();
    const feeds = new Set(subscriptions.map(({ name }) => `${name} live`));
    expect(
      (await health()).feeds.map(({ feed, state }: { feed: string; state: string }) => `${feed} ${state}`).sort(),
    ).toEqual([...feeds].sort());
    const topics = [...new Set(subscriptions.map(({ topic }) => topic))];
    expect([...portal.events.subscribed].sort()).toEqual(topics.sort());
    const channels = Object.values(loadConfig({}).events).filter((value) => typeof value === 'string');
    expect(channels.length).toBeGreaterThan(5);
    expect(topics).toEqual(expect.arrayContaining(channels));
  });
});

describe('the health of the stream', () => {
  it('does not vouch for an object that the integration user may not read any more, and does for the others', async () => {
    const feeds = async (): Promise<Record<string, string>> => {
      const health = (await portal.anonymous('/health/sf-events')).json();
      return Object.fromEntries(health.feeds.map(({ feed, state }: Record<string, string>) => [feed, state]));
    };
    await eventually(async () => (await feeds())['Order'] === 'live', { what: 'orders are followed' });
    portal.events.trouble = { unreadable: ['Order'] };
    await eventually(async () => (await feeds())['Order'] === 'lagging', {
      withinMs: 20_000,
      what: 'orders are not vouched for',
    });
    expect(await feeds()).toMatchObject({ Account: 'live', OrderItem: 'live' });
    expect((await portal.anonymous('/health/sf-events')).json()).toMatchObject({
      status: 'degraded',
      reason: expect.stringContaining('may not read all of Order'),
    });
    portal.events.trouble = {};
    await eventually(async () => (await feeds())['Order'] === 'live', { what: 'orders are followed again' });
  });

  it('shows how much of its API requests the org has used, once that is known', async () => {
    expect((await portal.anonymous('/health/sf-events')).json()).not.toHaveProperty('apiUsage');
    portal.org.usage = { used: 18, limit: 15_000, reserve: 1_500, refused: 0 };
    expect((await portal.anonymous('/health/sf-events')).json().apiUsage).toEqual(portal.org.usage);
  });
});

describe('a change that cannot be applied', () => {
  it('shows at both health addresses', async () => {
    portal.events.trouble = { failures: 2, pendingSince: 0, lastError: 'OOM command not allowed' };
    const reason = expect.stringMatching(
      /an event could not be applied since 1970.* \(2 times: OOM command not allowed\)/,
    );
    const events = await portal.anonymous('/health/sf-events');
    expect([events.statusCode, events.json()]).toEqual([200, expect.objectContaining({ status: 'degraded', reason })]);
    expect(events.json().topics[0]).toMatchObject({ failures: 2, pendingSince: '1970-01-01T00:00:00.000Z' });
    const overall = await portal.anonymous('/health');
    expect(overall.json().details['sf-events']).toMatchObject({ status: 'degraded', reason });
  });
});

describe('with events switched off', () => {
  it('[P18] nothing is subscribed to, and health says so', async () => {
    await portal.close();
    portal = await Portal.open({ SF_EVENTS_ENABLED: 'false' });
    expect(portal.events.subscribed).toEqual([]);
    const answer = await portal.anonymous('/health/sf-events');
    expect(answer.statusCode).toBe(200);
    const reason = 'change events are switched off (SF_EVENTS_ENABLED=false): entries live at most 60 s';
    expect(answer.json()).toMatchObject({ status: 'degraded', reason });
    expect((await portal.anonymous('/health')).json().details['sf-events']).toMatchObject({
      status: 'degraded',
      reason,
    });
  });
});

describe('access to an account, while nobody listens for its changes', () => {
  it('[A4] ends for a user whom it does not name any more, no later than the bound for a lost stream', async () => {
    await portal.close();
    portal = await Portal.open({ SF_STREAM_LOST_MAX_AGE_SECONDS: '1' });
    portal.events.trouble = { unreadable: ['Account'] };
    const isTrusted = async () => {
      const { feeds } = (await portal.anonymous('/health/sf-events')).json();
      return feeds.find(({ feed }: { feed: string }) => feed === 'Account')?.state === 'live';
    };
    await eventually(async () => !(await isTrusted()), { withinMs: 20_000, what: 'the loss of the feed' });
    expect(await fetched('/api/orders')).toEqual([true]);
    portal.org.accounts[0]!['Portal_User_Id__c'] = null;
    await eventually(async () => (await portal.get('alice', '/api/orders')).statusCode === 403, {
      withinMs: 20_000,
      what: 'the end of access',
    });
  });
});
