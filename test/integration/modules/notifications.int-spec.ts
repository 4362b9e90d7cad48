import { toSalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import { NoticeBoard } from '@bff/infra/notices/notice-board';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { deferred } from '../../support/deferred.js';
import { elapse, eventually } from '../../support/eventually.js';
import type { EventReader } from '../../support/event-reader.js';
import { NotifiedPortal } from './support/notified-portal.js';
import { IDS } from './support/recorded-org.js';

const deployments = [
  { name: 'embedded, one process', start: () => NotifiedPortal.embedded() },
  { name: 'Redis, two BFFs and a worker', start: () => NotifiedPortal.onRedis() },
  { name: 'Redis with L1 strict, two BFFs and a worker', start: () => NotifiedPortal.onRedis({ CACHE_L1: 'strict' }) },
];

const ELIGIBILITY = '/event/Account_Eligibility_Update__e';
const statusChange = { changedFields: ['Status'] };
/** A change that every stream receives: when it arrives, all earlier notices have arrived. */
const everybodyHears = (portal: NotifiedPortal) =>
  portal.events.change('Product2', IDS.fibre, { changedFields: ['Name'] });

/** The names of the notices that `act` brings to this stream, without those of the catalog. */
async function told(portal: NotifiedPortal, reader: EventReader, act: () => Promise<unknown>): Promise<string[]> {
  const before = reader.events.length;
  await act();
  await everybodyHears(portal);
  await reader.next('catalog.changed', before);
  return reader.names.slice(before).filter((name) => name !== 'catalog.changed');
}

describe.each(deployments)('browsers hear of changes: $name', ({ start }) => {
  let portal: NotifiedPortal;
  beforeAll(async () => {
    portal = await start();
  });
  afterAll(() => portal.close());

  const order = () => portal.org.orders.find(({ Id }) => Id === IDS.aliceOrder) as Record<string, unknown>;

  it('[P19] after the invalidation: who reads again on a notice never sees what was before, in any process', async () => {
    portal.delayInvalidations(50);
    const browser = await portal.listen('alice', portal.last);
    await portal.statuses('alice');
    let isReading = true;
    const others = portal.bffs.map(async (_, bff) => {
      while (isReading) await portal.statuses('alice', bff);
    });
    try {
      for (let round = 1; round <= 20; round++) {
        await elapse(260); // after this pause a notice is sent without delay
        const before = browser.events.length;
        order()['Status'] = `Round ${round}`;
        await Promise.all([
          portal.events.change('Order', IDS.aliceOrder, statusChange),
          browser.next('orders.changed', before).then(async () => {
            const seen = await Promise.all(portal.bffs.map((_, bff) => portal.statuses('alice', bff)));
            expect(seen).toEqual(portal.bffs.map(() => [`Round ${round}`]));
          }),
        ]);
      }
    } finally {
      isReading = false;
      await Promise.all(others);
      portal.delayInvalidations(0);
    }
  });

  it('[P28] and only those of the account, however the account is known', async () => {
    const [alice, bob] = [await portal.listen('alice', portal.last), await portal.listen('bob')];
    await portal.statuses('alice');
    await portal.statuses('bob');
    expect(await told(portal, bob, () => portal.events.change('Order', IDS.aliceOrder, statusChange))).toEqual([]);
    await portal.statuses('alice');
    const bobsItem = () => portal.events.change('OrderItem', IDS.bobItem, { changedFields: ['Quantity'] });
    expect(await told(portal, bob, bobsItem)).toEqual(['orders.changed']);
    const created = { changeType: 'CREATE', fields: { AccountId: IDS.bob } } as const;
    const bobsNewOrder = () => portal.events.change('Order', toSalesforceId('801000000000009'), created);
    expect(await told(portal, bob, bobsNewOrder)).toEqual(['orders.changed']);
    const bobsEligibility = () => portal.events.publish(ELIGIBILITY, { Account_Id__c: IDS.bob });
    expect(await told(portal, bob, bobsEligibility)).toEqual(['eligibility.changed']);
    const bobsAccount = () => portal.events.change('Account', IDS.bob, { changedFields: ['Phone'] });
    expect(await told(portal, bob, bobsAccount)).toEqual(['eligibility.changed']);
    const board = portal.bffs[0]?.app.get(NoticeBoard) as NoticeBoard;
    await board.publish([{ name: 'last', audience: `account:${IDS.alice}` }]);
    await alice.next('last');
    expect(alice.names.filter((name) => name !== 'catalog.changed')).toEqual(['ready', 'orders.changed', 'last']);
  });

  it('not of changes to internal fields, and of everybody’s where it is not known whose they are', async () => {
    const bob = await portal.listen('bob');
    await portal.statuses('bob');
    const internal = { changedFields: ['Activation_Status__c'] };
    expect(await told(portal, bob, () => portal.events.change('Order', IDS.bobOrder, internal))).toEqual([]);
    const overflow = { changeType: 'GAP_OVERFLOW', scope: 'entity', recordIds: [] } as const;
    const before = bob.events.length;
    expect(await told(portal, bob, () => portal.events.change('Order', IDS.bobOrder, overflow))).toEqual([
      'orders.changed',
    ]);
    expect((await bob.next('orders.changed', before)).data).toMatchObject({ spreadMs: expect.any(Number) });
  });

  it('[P20] once, however often the same event is delivered', async () => {
    const alice = await portal.listen('alice', portal.last);
    const same = { ...statusChange, replayId: '4711', transactionKey: 'tx', commitTimestamp: 1 };
    const deliver = async () => {
      await portal.statuses('alice');
      await portal.events.change('Order', IDS.aliceOrder, same);
    };
    expect(await told(portal, alice, deliver)).toEqual(['orders.changed']);
    expect(await told(portal, alice, deliver)).toEqual([]);
  });

  it('of an order that is only looked at by itself', async () => {
    const item = { changedFields: ['Quantity'] };
    await portal.events.change('Order', IDS.aliceOrder, statusChange); // drops the list of Alice's orders
    await portal.get('alice', `/api/orders/${IDS.aliceOrder}`);
    const alice = await portal.listen('alice', portal.last);
    expect(await told(portal, alice, () => portal.events.change('OrderItem', IDS.aliceItem, item))).toEqual([
      'orders.changed',
    ]);
  });

  it('while it is being read: a read that a change has overtaken has to be made again', async () => {
    await portal.events.change('Order', IDS.aliceOrder, statusChange);
    const alice = await portal.listen('alice', portal.last);
    const before = alice.events.length;
    const [asked, held] = [deferred(), deferred()];
    portal.org.delay = () => {
      asked.resolve();
      return held.promise;
    };
    const overtaken = portal.statuses('alice');
    await asked.promise;
    await portal.events.change('Order', IDS.aliceOrder, statusChange);
    portal.org.delay = () => Promise.resolve();
    held.resolve();
    await overtaken;
    await alice.next('orders.changed', before);
  });

  it('after a write of their own, in their other tabs', async () => {
    const alice = await portal.listen('alice', portal.last);
    const before = alice.events.length;
    const response = await fetch(`${portal.bffs[0]?.url}/api/orders`, {
      method: 'POST',
      headers: { ...(await portal.bearer('alice')), 'content-type': 'application/json' },
      body: JSON.stringify({ items: [{ productId: IDS.fibre, quantity: 1 }] }),
    });
    expect(response.status).toBe(201);
    await alice.next('orders.changed', before);
    expect(await portal.statuses('alice', portal.last)).toContain('Draft');
  });

  it('when they come back, to whichever process, and told to read everything where that is not known', async () => {
    const first = await portal.listen('bob');
    await portal.statuses('bob');
    const { lastEventId } = first;
    expect(lastEventId).toBeDefined();
    first.close();
    await portal.events.change('Order', IDS.bobOrder, statusChange);
    await portal.events.publish(ELIGIBILITY, { Account_Id__c: IDS.alice });
    await portal.events.publish(ELIGIBILITY, { Account_Id__c: IDS.bob });
    const again = await portal.listen('bob', portal.last, { 'last-event-id': lastEventId as string });
    await again.next('eligibility.changed');
    expect(again.names).toEqual(['ready', 'orders.changed', 'eligibility.changed']);
    expect(again.events[0]?.data).toEqual({ isResumed: true });
    const third = await portal.listen('bob', 0, { 'last-event-id': again.lastEventId as string });
    expect(await told(portal, third, () => Promise.resolve())).toEqual([]);
    const stranger = await portal.listen('bob', portal.last, { 'last-event-id': 'of-another-time' });
    expect(stranger.events[0]).toMatchObject({
      event: 'resync',
      id: expect.any(String),
      data: { reason: 'unknown-last-event-id', spreadMs: expect.any(Number) },
    });
  });

  it('[C1] of nothing that concerned others while they were away, and their ids tell nothing of it', async () => {
    const first = await portal.listen('bob');
    const { lastEventId = '' } = first;
    first.close();
    await portal.statuses('alice');
    await portal.events.change('Order', IDS.aliceOrder, statusChange);
    await portal.events.publish(ELIGIBILITY, { Account_Id__c: IDS.alice });
    const board = portal.bffs[portal.last]?.app.get(NoticeBoard) as NoticeBoard;
    await board.publish([{ name: 'billing.changed', audience: 'client:11' }]);
    await portal.settled();
    const again = await portal.listen('bob', portal.last, { 'last-event-id': lastEventId });
    expect(again.events).toEqual([{ event: 'ready', id: expect.any(String), data: { isResumed: true } }]);
    const id = again.lastEventId as string;
    for (const text of [id, Buffer.from(id, 'base64url').toString('latin1')])
      expect(text).not.toContain(board.position());
    // A place that is on the board, but was given to nobody: no answer tells whether something happened there.
    const prober = await portal.listen('bob', portal.last, { 'last-event-id': board.position() as string });
    expect(prober.names).toEqual(['resync']);
  });
});

describe('on Redis', () => {
  let portal: NotifiedPortal;
  afterEach(() => portal.close());

  it('browsers read everything again when the server has lost its memory', async () => {
    portal = await NotifiedPortal.onRedis({ REDIS_COMMAND_TIMEOUT_MS: '200' });
    const alice = await portal.listen('alice', 1);
    await portal.redis?.restart();
    expect((await alice.next('resync')).data).toMatchObject({ reason: 'notices-lost' });
    await eventually(() =>
      portal.statuses('alice').then(
        () => true,
        () => false,
      ),
    );
    await eventually(async () => {
      await portal.statuses('alice');
      await portal.events.change('Order', IDS.aliceOrder, statusChange).catch(() => undefined);
      return alice.names.includes('orders.changed');
    });
  });
});
