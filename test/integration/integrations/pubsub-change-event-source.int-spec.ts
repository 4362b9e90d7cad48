import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ACCOUNTS, CHANGE, ORDERS, PubSubStage } from './pubsub-stage.js';
import { RecordingConsumer } from './recording-consumer.js';
import { type Answer, json } from './rest-double.js';
import { eventually } from '../../support/eventually.js';

describe('the Pub/Sub change event source', () => {
  let stage: PubSubStage;
  beforeEach(async () => {
    stage = await PubSubStage.open();
  });
  afterEach(() => stage.close());

  it('tells of the gap before the first event when there is no position, then hands over in order', async () => {
    await stage.startOrders();
    const published = [1, 2, 3, 4, 5].map(() => stage.publish());
    await stage.seen('no-position', ...published);
    expect(stage.orders.log).toEqual(['no-position', ...published]);
    expect(stage.orders.runningMax).toBe(1);
    expect(stage.orders.events[0]).toMatchObject({
      kind: 'change',
      topic: ORDERS,
      entityName: 'Order',
      recordIds: ['801xx0000000001AAA'],
      changedFields: ['Status', 'LastModifiedDate'],
      fields: { Status: 'Activated', LastModifiedDate: null },
    });
    expect(stage.health).toMatchObject({
      topic: ORDERS,
      transport: 'pubsub',
      state: 'live',
      events: { UPDATE: 5 },
      gaps: 1,
    });
  });

  it('says who it is on every call, and hands replay ids back as the bytes that came', async () => {
    await stage.startOrders();
    const first = stage.publish();
    await stage.seen('no-position', first);
    stage.salesforce.endStreams();
    await eventually(() => stage.salesforce.requests.some(({ replayPreset }) => replayPreset === 'CUSTOM'), {
      what: 'it has come back',
      withinMs: 8_000,
    });
    const resumed = stage.salesforce.requests.find(({ replayPreset }) => replayPreset === 'CUSTOM');
    expect(resumed?.replayId).toEqual(Buffer.from(first, 'base64'));
    expect(stage.salesforce.identities[0]).toMatchObject({
      accesstoken: '00Dxx0000000001!TOKEN1',
      instanceurl: stage.salesforce.loginUrl,
      tenantid: '00Dxx0000000001EAA',
    });
  });

  it('is not live before Salesforce has answered, though the start waits for that no longer than for a while', async () => {
    stage.salesforce.isReticent = true;
    stage.newSource({ decideMs: 50 });
    await stage.source.start(new Map([[ORDERS, stage.orders]]), stage.orders.position);
    await eventually(() => stage.salesforce.streamCount === 1, { what: 'it has subscribed', withinMs: 8_000 });
    expect(stage.health).toMatchObject({ state: 'connecting', behindMs: undefined });
    expect(stage.orders.log).toEqual([]); // handled before it is live, the gap would miss later changes
    const first = stage.publish(); // an event is a sign of life as well
    await stage.seen('no-position', first);
    expect(stage.orders.log).toEqual(['no-position', first]);
    expect(stage.health?.state).toBe('live');
  });

  it('lets each topic go its own way on one connection', async () => {
    const accounts = new RecordingConsumer();
    stage.salesforce.refusedTopics.set(ACCOUNTS, [status.NOT_FOUND, 'topic.not.found']);
    stage.newSource();
    await stage.source.start(
      new Map([
        [ORDERS, stage.orders],
        [ACCOUNTS, accounts],
      ]),
      (topic) => (topic === ORDERS ? stage.orders : accounts).position(),
    );
    const order = stage.publish();
    await stage.seen('no-position', order);
    const states = () => stage.source.health().map(({ state }) => state);
    await eventually(() => states().join() === 'live,lost', {
      what: 'one is live, the other lost',
      state: states,
      withinMs: 8_000,
    });
    expect(stage.source.health()[1]?.lastError).toContain('topic.not.found');
    expect(stage.lines).toEqual([
      expect.stringMatching(/^warn: \/data\/AccountChangeEvent cannot be subscribed: NOT_FOUND/),
    ]);
    stage.salesforce.refusedTopics.clear();
    await stage.live();
    const account = stage.salesforce.publish(ACCOUNTS, CHANGE);
    await eventually(() => accounts.log.includes(account), { what: 'it arrived', withinMs: 8_000 });
    expect(stage.health?.reconnects).toBe(0);
    expect(stage.lines.at(-1)).toBe('info: /data/AccountChangeEvent is live again');
  });

  it('resumes after a restart from the committed id without a gap', async () => {
    await stage.startOrders();
    const first = stage.publish();
    await stage.seen('no-position', first);
    await stage.source.stop();
    const missed = [stage.publish(), stage.publish()];
    await stage.startOrders();
    await stage.seen('no-position', first, ...missed);
    expect(stage.orders.log).toEqual(['no-position', first, ...missed]);
  });

  it('commits the position of a keep-alive, but only when what came before it is handled', async () => {
    await stage.startOrders();
    const release = stage.holdHandler();
    const first = stage.publish();
    await eventually(() => stage.orders.running === 1, { what: 'the handler runs', withinMs: 8_000 });
    const position = stage.salesforce.keepAlive();
    await eventually(() => stage.health?.lastKeepAliveAt !== undefined, {
      what: 'the keep-alive has come',
      withinMs: 8_000,
    });
    expect(stage.orders.committed).toBeUndefined();
    release();
    await eventually(() => stage.orders.committed === position, { what: 'it is committed', withinMs: 8_000 });
    expect(stage.orders.positions.slice(-2)).toEqual([first, position]);
    expect(stage.health).toMatchObject({ lastPosition: position, waiting: 0 });
    const next = stage.publish();
    await stage.seen('no-position', first, next);
    expect(stage.orders.log).toEqual(['no-position', first, next]);
  });

  describe('asks for events', () => {
    it('so that never more than 100 are under way, and always again', async () => {
      await stage.startOrders();
      const published = Array.from({ length: 1_000 }, () => stage.publish());
      await stage.seen('no-position', ...published);
      expect(stage.orders.log).toEqual(['no-position', ...published]);
      expect(stage.salesforce.outstandingMax).toBe(100);
    });

    it('for no more than there is room for while the handler is held, and loses nothing', async () => {
      await stage.startOrders({ queueMax: 150 });
      const release = stage.holdHandler();
      const published = Array.from({ length: 500 }, () => stage.publish());
      await eventually(() => stage.health?.waiting === 150, { what: 'the queue is full', withinMs: 8_000 });
      const asked = () => stage.salesforce.requests.reduce((sum, { numRequested }) => sum + numRequested, 0);
      expect(asked()).toBe(150);
      release();
      await stage.seen('no-position', ...published);
      expect(stage.orders.log).toEqual(['no-position', ...published]);
      expect(stage.health?.reconnects).toBe(0);
    });

    it('one by one before Salesforce gives up on the stream, and lets it go when that does not help', async () => {
      await stage.startOrders({ queueMax: 1, lifelineMs: 10 });
      const release = stage.holdHandler();
      const published = Array.from({ length: 110 }, () => stage.publish());
      await eventually(() => (stage.health?.reconnects ?? 0) === 1, {
        what: 'the stream was let go',
        state: () => stage.health,
        withinMs: 8_000,
      });
      expect(stage.health).toMatchObject({
        state: 'lost',
        waiting: 101,
        lastError: 'the handler has been stuck for too long',
      });
      release();
      await stage.seen('no-position', ...published);
      expect(stage.orders.log).toEqual(['no-position', ...published]);
    });
  });

  describe('reads on', () => {
    it('when the schema changes in mid-stream', async () => {
      await stage.startOrders();
      const first = stage.publish();
      stage.salesforce.setFields(ORDERS, 'New__c', 'AccountId', 'Status', 'LastModifiedDate');
      const second = stage.publish({ fields: { New__c: 'x' }, changed: ['New__c'] });
      const third = stage.publish();
      await stage.seen('no-position', first, second, third);
      expect(stage.orders.events.map((event) => event.kind === 'change' && event.changedFields)).toEqual([
        ['Status', 'LastModifiedDate'],
        ['New__c'],
        ['Status', 'LastModifiedDate'],
      ]);
      expect(stage.salesforce.schemaRequests).toBe(2);
    });

    it.each([
      [
        'bytes that no schema fits',
        () =>
          stage.salesforce.publishRaw(ORDERS, Buffer.from([1, 2, 3]), {
            schemaId: `${ORDERS}:AccountId,Status,LastModifiedDate`,
          }),
      ],
      ['schemas that Salesforce does not know', () => stage.salesforce.publishRaw(ORDERS, Buffer.from([1]))],
    ])('behind %s, which it does not skip', async (_, unreadable) => {
      await stage.startOrders();
      const ids = [stage.publish(), unreadable(), stage.publish()];
      await stage.seen('no-position', ...ids);
      expect(stage.orders.log).toEqual(['no-position', ...ids]);
      expect(stage.orders.events[1]).toMatchObject({ kind: 'undecodable', replayId: ids[1] });
      expect(stage.health?.events).toEqual({ UPDATE: 2, undecodable: 1 });
    });

    it('without asking for an unknown schema again and again', async () => {
      await stage.startOrders();
      const ids = Array.from({ length: 50 }, () => stage.salesforce.publishRaw(ORDERS, Buffer.from([1])));
      await stage.seen('no-position', ...ids);
      expect(stage.salesforce.schemaRequests).toBe(1);
    });

    it('with the same event when its schema could not be asked for', async () => {
      stage.salesforce.schemaRefusal = [status.UNAVAILABLE, 'service.unavailable'];
      await stage.startOrders();
      stage.orders.committed = stage.publish();
      stage.salesforce.endStreams();
      const second = stage.publish();
      await eventually(() => stage.salesforce.schemaRequests > 1, { what: 'it was tried', withinMs: 8_000 });
      expect(stage.orders.log).toEqual(['no-position']);
      stage.salesforce.schemaRefusal = undefined;
      await stage.seen('no-position', second);
      expect(stage.orders.log).toEqual(['no-position', second]);
    });
  });

  describe('where events share a replay id', () => {
    const MANY = '/data/Orders__chn';
    it('commits an id only when another one has come, or a keep-alive', async () => {
      stage.newSource();
      await stage.source.start(new Map([[MANY, stage.orders]]), stage.orders.position);
      await stage.live();
      const first = stage.salesforce.publish(MANY, CHANGE);
      stage.salesforce.publish(MANY, CHANGE, { isSameId: true });
      await stage.seen('no-position', first, first);
      expect(stage.orders.committed).toBeUndefined();
      const second = stage.salesforce.publish(MANY, CHANGE);
      await stage.seen('no-position', first, first, second);
      expect(stage.orders.committed).toBe(first);
      const position = stage.salesforce.keepAlive();
      await eventually(() => stage.orders.committed === position, { what: 'it is committed', withinMs: 8_000 });
    });
  });

  it('looks whether the user can read the objects, and says so until it can', async () => {
    const [found, missing] = [json({ queryable: true }), json([{ errorCode: 'NOT_FOUND', message: 'no' }], 404)];
    const hidden = json([{ errorCode: 'INVALID_TYPE', message: 'sObject type is not supported' }], 400);
    const answers =
      (ofOrder: Answer): Answer =>
      (exchange, response) => {
        const described = exchange.path.includes('/Order/') ? ofOrder : found;
        (exchange.path.includes('/query') ? hidden : described)(exchange, response);
      };
    stage.salesforce.rest.answer = answers(missing);
    const both = Object.assign(stage.orders, { entities: ['Order', 'OrderItem'] });
    stage.newSource({ accessCheckMs: 20 });
    await stage.source.start(new Map([['/data/ChangeEvents', both]]), stage.orders.position);
    // The check of the objects and the stream begin together: either may finish first.
    await eventually(() => stage.health?.unreadable.length === 1 && stage.health.state === 'live', {
      what: 'it was found',
      withinMs: 8_000,
    });
    expect(stage.health?.unreadable).toEqual(['Order']);
    stage.salesforce.rest.answer = answers(found);
    await eventually(() => stage.health?.unreadable.length === 0, { what: 'it is mended', withinMs: 8_000 });
    expect(stage.lines.filter((line) => line.includes('the user may'))).toEqual([
      expect.stringMatching(/^error: \/data\/ChangeEvents: the user may not read all of Order: .*View All Records/),
      'info: /data/ChangeEvents: the user may read all of Order now',
    ]);
  });

  it('waits for the running handler in stop, and calls none afterwards', async () => {
    await stage.startOrders();
    const release = stage.holdHandler();
    const first = stage.publish();
    await eventually(() => stage.orders.running === 1, { what: 'the handler runs', withinMs: 8_000 });
    let hasStopped = false;
    const stopping = stage.source.stop().then(() => (hasStopped = true));
    await eventually(() => stage.salesforce.streamCount === 0, { what: 'the stream is gone', withinMs: 8_000 });
    expect(hasStopped).toBe(false);
    release();
    await stopping;
    stage.publish();
    expect(stage.orders.log).toEqual(['no-position', first]);
    expect(stage.orders.running).toBe(0);
    expect(stage.health?.state).toBe('stopped');
  });
});
