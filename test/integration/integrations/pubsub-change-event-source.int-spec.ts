import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { PubSubChangeEventSource } from '@bff/integrations/salesforce/events/pubsub-change-event-source';
import type { PubSubOptions } from '@bff/integrations/salesforce/events/pubsub.options';
import { SalesforceConnection } from '@bff/integrations/salesforce/salesforce-connection';
import { PubSubDouble, type ScriptedChange } from './pubsub-double.js';
import { RecordingConsumer } from './recording-consumer.js';
import { json } from './rest-double.js';
import { until } from './until.js';

const ORDERS = '/data/OrderChangeEvent';
const ACCOUNTS = '/data/AccountChangeEvent';

/** Waits that a test has time for. */
const QUICK = { retryMinMs: 10, connectRetryMaxMs: 200, refusedRetryMaxMs: 200, handlerRetryMaxMs: 200 };
const CHANGE: ScriptedChange = { fields: { Status: 'Activated' }, changed: ['Status', 'LastModifiedDate'] };

describe('the Pub/Sub change event source', () => {
  let salesforce: PubSubDouble;
  let source: PubSubChangeEventSource;
  let orders: RecordingConsumer;
  let lines: string[];
  const started: PubSubChangeEventSource[] = [];

  function newSource(options: PubSubOptions = {}): PubSubChangeEventSource {
    const connection = new SalesforceConnection({ loginUrl: salesforce.loginUrl, clientId: 'c', clientSecret: 's' });
    const made = new PubSubChangeEventSource(connection, {
      endpoint: salesforce.endpoint,
      settleMs: 0,
      ...QUICK,
      log: (level, text) => lines.push(`${level}: ${text}`),
      ...options,
    });
    started.push(made);
    return made;
  }

  async function live(of: PubSubChangeEventSource = source): Promise<void> {
    await until(
      'every topic is live',
      () => of.health().every(({ state }) => state === 'live'),
      () => of.health(),
    );
  }

  async function startOrders(options: PubSubOptions = {}): Promise<void> {
    source = newSource(options);
    await source.start(new Map([[ORDERS, orders]]), orders.position);
    await live();
  }

  const health = () => source.health()[0];
  const publish = (change = CHANGE): string => salesforce.publish(ORDERS, change);
  const seen = (...log: string[]): Promise<void> =>
    until(
      `${log.join()} was handed over`,
      () => orders.log.length >= log.length,
      () => [orders.log, source.health()],
    );

  /** Holds the handler until the returned function is called. */
  function holdHandler(): () => void {
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    orders.beforeEvent = () => gate;
    return release;
  }

  beforeEach(async () => {
    salesforce = await PubSubDouble.start();
    orders = new RecordingConsumer();
    lines = [];
  });

  afterEach(async () => {
    await Promise.all(started.splice(0).map((one) => one.stop()));
    await salesforce.stop();
  });

  it('tells of the gap before the first event when there is no position, then hands over in order', async () => {
    await startOrders();
    const published = [1, 2, 3, 4, 5].map(() => publish());
    await seen('no-position', ...published);
    expect(orders.log).toEqual(['no-position', ...published]);
    expect(orders.runningMax).toBe(1);
    expect(orders.events[0]).toMatchObject({
      kind: 'change',
      topic: ORDERS,
      entityName: 'Order',
      recordIds: ['801xx0000000001AAA'],
      changedFields: ['Status', 'LastModifiedDate'],
      fields: { Status: 'Activated', LastModifiedDate: null },
    });
    expect(health()).toMatchObject({
      topic: ORDERS,
      transport: 'pubsub',
      state: 'live',
      events: { UPDATE: 5 },
      gaps: 1,
    });
  });

  it('says who it is on every call, and hands replay ids back as the bytes that came', async () => {
    await startOrders();
    const first = publish();
    await seen('no-position', first);
    salesforce.endStreams();
    await until('it has come back', () => salesforce.requests.some(({ replayPreset }) => replayPreset === 'CUSTOM'));
    const resumed = salesforce.requests.find(({ replayPreset }) => replayPreset === 'CUSTOM');
    expect(resumed?.replayId).toEqual(Buffer.from(first, 'base64'));
    expect(salesforce.identities[0]).toMatchObject({
      accesstoken: '00Dxx0000000001!TOKEN1',
      instanceurl: salesforce.loginUrl,
      tenantid: '00Dxx0000000001EAA',
    });
  });

  it('is live when nothing speaks against it, and tells of the gap only then', async () => {
    salesforce.isReticent = true;
    await startOrders({ liveAfterMs: 50 });
    expect(orders.log).toEqual(['no-position']);
    orders = new RecordingConsumer();
    source = newSource({ liveAfterMs: 60_000 });
    const starting = source.start(new Map([[ORDERS, orders]]), orders.position);
    await until('it has subscribed', () => salesforce.streamCount === 2);
    expect(health()?.state).toBe('connecting');
    const first = publish(); // a sign of life as good as any
    await starting;
    await seen('no-position', first);
    expect(orders.log).toEqual(['no-position', first]);
  });

  it('lets each topic go its own way on one connection', async () => {
    const accounts = new RecordingConsumer();
    salesforce.refusedTopics.set(ACCOUNTS, [status.NOT_FOUND, 'topic.not.found']);
    source = newSource();
    await source.start(
      new Map([
        [ORDERS, orders],
        [ACCOUNTS, accounts],
      ]),
      (topic) => (topic === ORDERS ? orders : accounts).position(),
    );
    const order = publish();
    await seen('no-position', order);
    const states = () => source.health().map(({ state }) => state);
    await until('one is live, the other lost', () => states().join() === 'live,lost', states);
    expect(source.health()[1]?.lastError).toContain('topic.not.found');
    expect(lines).toEqual([expect.stringMatching(/^warn: \/data\/AccountChangeEvent cannot be subscribed: NOT_FOUND/)]);
    salesforce.refusedTopics.clear();
    await live();
    const account = salesforce.publish(ACCOUNTS, CHANGE);
    await until('it arrived', () => accounts.log.includes(account));
    expect(health()?.reconnects).toBe(0);
    expect(lines.at(-1)).toBe('info: /data/AccountChangeEvent is live again');
  });

  it('resumes after a restart from the committed id without a gap', async () => {
    await startOrders();
    const first = publish();
    await seen('no-position', first);
    await source.stop();
    const missed = [publish(), publish()];
    await startOrders();
    await seen('no-position', first, ...missed);
    expect(orders.log).toEqual(['no-position', first, ...missed]);
  });

  it('commits the position of a keep-alive, but only when what came before it is handled', async () => {
    await startOrders();
    const release = holdHandler();
    const first = publish();
    await until('the handler runs', () => orders.running === 1);
    const position = salesforce.keepAlive();
    await until('the keep-alive has come', () => health()?.lastKeepAliveAt !== undefined);
    expect(orders.committed).toBeUndefined();
    release();
    await until('it is committed', () => orders.committed === position);
    expect(orders.positions.slice(-2)).toEqual([first, position]);
    expect(health()).toMatchObject({ lastPosition: position, waiting: 0 });
    const next = publish();
    await seen('no-position', first, next);
    expect(orders.log).toEqual(['no-position', first, next]);
  });

  describe('asks for events', () => {
    it('so that never more than 100 are under way, and always again', async () => {
      await startOrders();
      const published = Array.from({ length: 1_000 }, () => publish());
      await seen('no-position', ...published);
      expect(orders.log).toEqual(['no-position', ...published]);
      expect(salesforce.outstandingMax).toBe(100);
    });

    it('for no more than there is room for while the handler is held, and loses nothing', async () => {
      await startOrders({ queueMax: 150 });
      const release = holdHandler();
      const published = Array.from({ length: 500 }, () => publish());
      await until('the queue is full', () => health()?.waiting === 150);
      const asked = () => salesforce.requests.reduce((sum, { numRequested }) => sum + numRequested, 0);
      expect(asked()).toBe(150);
      release();
      await seen('no-position', ...published);
      expect(orders.log).toEqual(['no-position', ...published]);
      expect(health()?.reconnects).toBe(0);
    });

    it('one by one before Salesforce gives up on the stream, and lets it go when that does not help', async () => {
      await startOrders({ queueMax: 1, lifelineMs: 10 });
      const release = holdHandler();
      const published = Array.from({ length: 110 }, () => publish());
      await until(
        'the stream was let go',
        () => (health()?.reconnects ?? 0) === 1,
        () => health(),
      );
      expect(health()).toMatchObject({
        state: 'lost',
        waiting: 101,
        lastError: 'the handler has been stuck for too long',
      });
      release();
      await seen('no-position', ...published);
      expect(orders.log).toEqual(['no-position', ...published]);
    });
  });

  describe('reads on', () => {
    it('when the schema changes in mid-stream', async () => {
      await startOrders();
      const first = publish();
      salesforce.setFields(ORDERS, 'New__c', 'AccountId', 'Status', 'LastModifiedDate');
      const second = publish({ fields: { New__c: 'x' }, changed: ['New__c'] });
      const third = publish();
      await seen('no-position', first, second, third);
      expect(orders.events.map((event) => event.kind === 'change' && event.changedFields)).toEqual([
        ['Status', 'LastModifiedDate'],
        ['New__c'],
        ['Status', 'LastModifiedDate'],
      ]);
      expect(salesforce.schemaRequests).toBe(2);
    });

    it.each([
      [
        'bytes that no schema fits',
        () =>
          salesforce.publishRaw(ORDERS, Buffer.from([1, 2, 3]), {
            schemaId: `${ORDERS}:AccountId,Status,LastModifiedDate`,
          }),
      ],
      ['schemas that Salesforce does not know', () => salesforce.publishRaw(ORDERS, Buffer.from([1]))],
    ])('behind %s, which it does not skip', async (_, unreadable) => {
      await startOrders();
      const ids = [publish(), unreadable(), publish()];
      await seen('no-position', ...ids);
      expect(orders.log).toEqual(['no-position', ...ids]);
      expect(orders.events[1]).toMatchObject({ kind: 'undecodable', replayId: ids[1] });
      expect(health()?.events).toEqual({ UPDATE: 2, undecodable: 1 });
    });

    it('without asking for an unknown schema again and again', async () => {
      await startOrders();
      const ids = Array.from({ length: 50 }, () => salesforce.publishRaw(ORDERS, Buffer.from([1])));
      await seen('no-position', ...ids);
      expect(salesforce.schemaRequests).toBe(1);
    });

    it('with the same event when its schema could not be asked for', async () => {
      salesforce.schemaRefusal = [status.UNAVAILABLE, 'service.unavailable'];
      await startOrders();
      orders.committed = publish();
      salesforce.endStreams();
      const second = publish();
      await until('it was tried', () => salesforce.schemaRequests > 1);
      expect(orders.log).toEqual(['no-position']);
      salesforce.schemaRefusal = undefined;
      await seen('no-position', second);
      expect(orders.log).toEqual(['no-position', second]);
    });
  });

  describe('where events share a replay id', () => {
    const MANY = '/data/Orders__chn';
    it('commits an id only when another one has come, or a keep-alive', async () => {
      source = newSource();
      await source.start(new Map([[MANY, orders]]), orders.position);
      await live();
      const first = salesforce.publish(MANY, CHANGE);
      salesforce.publish(MANY, CHANGE, { isSameId: true });
      await seen('no-position', first, first);
      expect(orders.committed).toBeUndefined();
      const second = salesforce.publish(MANY, CHANGE);
      await seen('no-position', first, first, second);
      expect(orders.committed).toBe(first);
      const position = salesforce.keepAlive();
      await until('it is committed', () => orders.committed === position);
    });
  });

  describe('goes on', () => {
    it('with a new token when the old one is rejected, and with the same sign-in for all topics', async () => {
      const accounts = new RecordingConsumer();
      source = newSource();
      await source.start(
        new Map([
          [ORDERS, orders],
          [ACCOUNTS, accounts],
        ]),
        (topic) => (topic === ORDERS ? orders : accounts).position(),
      );
      await live();
      const before = publish();
      await seen('no-position', before);
      salesforce.revokeToken();
      salesforce.endStreams(status.UNAUTHENTICATED, 'service.auth.error');
      const meanwhile = publish();
      await seen('no-position', before, meanwhile);
      await live();
      expect(orders.log).toEqual(['no-position', before, meanwhile]);
      expect(salesforce.rest.grants).toHaveLength(2);
      expect(lines.filter((line) => line.startsWith('warn'))).toEqual([
        expect.stringContaining('the token of the change events was rejected'),
      ]);
    });

    it('waiting longer and longer while every token is rejected', async () => {
      salesforce.rejectsTokens = true;
      source = newSource({ connectRetryMaxMs: 10, refusedRetryMaxMs: 60_000 });
      const begin = performance.now();
      await source.start(new Map([[ORDERS, orders]]), orders.position);
      await until('it was refused six times', () => (health()?.reconnects ?? 0) >= 6);
      // Five waits of at least half of 10, 20, 40, 80 and 160 ms; by the bound of connections alone it were 25 ms.
      expect(performance.now() - begin).toBeGreaterThan(150);
      salesforce.rejectsTokens = false;
      await live();
    });

    it('without loss or repetition when every connection is cut', async () => {
      await startOrders();
      const before = publish();
      await seen('no-position', before);
      await salesforce.dropConnections();
      const meanwhile = publish();
      await seen('no-position', before, meanwhile);
      expect(orders.log).toEqual(['no-position', before, meanwhile]);
      expect(lines).toEqual([
        expect.stringMatching(/^warn: the stream of change events is lost: /),
        'info: the stream of change events is live again',
      ]);
    });

    it('on a new connection when Salesforce falls silent', async () => {
      await startOrders({ watchdogMs: 500 });
      const before = publish();
      await seen('no-position', before);
      salesforce.isSilent = true;
      const meanwhile = publish();
      await until(
        'it is noticed',
        () => health()?.lastError?.includes('nothing came from Salesforce for 500 ms') === true,
        () => health(),
      );
      salesforce.isSilent = false;
      await seen('no-position', before, meanwhile);
      expect(orders.log).toEqual(['no-position', before, meanwhile]);
    });

    it('when its position cannot be read, until it can', async () => {
      let attempts = 0;
      source = newSource();
      const position = () => (attempts++ < 3 ? Promise.reject(new Error('the store is away')) : orders.position());
      await source.start(new Map([[ORDERS, orders]]), position);
      expect(health()).toMatchObject({ state: 'lost', lastError: 'a position could not be read: the store is away' });
      await live();
    });

    it('with one sign-in for all topics, however often each tries', async () => {
      let attempts = 0;
      salesforce.rest.answerToken = (_, response) => {
        attempts += 1;
        response.writeHead(400, { 'content-type': 'application/json' }).end('{"error":"invalid_client"}');
      };
      const topics = Array.from({ length: 20 }, (__, n) => `/data/Object${n}__ChangeEvent`);
      source = newSource();
      await source.start(new Map(topics.map((topic) => [topic, orders])), orders.position);
      await until('all have tried often', () => source.health().every(({ reconnects }) => reconnects >= 4));
      expect(attempts).toBeLessThan(20);
      salesforce.rest.answerToken = undefined;
      await live();
    });

    it('when Salesforce is away at the start', async () => {
      salesforce.rest.answerToken = (_, response) => void response.writeHead(503).end();
      source = newSource();
      await source.start(new Map([[ORDERS, orders]]), orders.position);
      expect(health()).toMatchObject({ state: 'lost', lastError: expect.stringMatching(/sign-in at .* failed/) });
      salesforce.rest.answerToken = undefined;
      await live();
    });
  });

  // The table of errors (Pub/Sub API Guide, "Handling Errors").
  describe('after the error', () => {
    it.each(['subscription.fetch.replayid.corrupted', 'subscription.fetch.replayid.validation.failed'])(
      '%s it begins at the latest, and tells of the gap',
      async (errorCode) => {
        orders.committed = publish();
        publish();
        salesforce.oldestReplayId = 1_000_000;
        salesforce.replayIdError = errorCode;
        await startOrders();
        await seen('position-expired');
        const next = publish();
        await seen('position-expired', next);
        expect(orders.log).toEqual(['position-expired', next]);
        const presets = salesforce.requests.map(({ replayPreset }) => replayPreset);
        expect(presets.slice(0, 2)).toEqual(['CUSTOM', 'LATEST']);
      },
    );

    it.each([
      ['subscription.fetch.requested.events.invalid', status.INVALID_ARGUMENT],
      ['subscription.fetch.topic.mismatch', status.INVALID_ARGUMENT],
      ['subscription.fetch.overflow', status.RESOURCE_EXHAUSTED],
      ['subscription.fetch.replay.repeated', status.INTERNAL],
      ['subscription.internal.error', status.INTERNAL],
      ['service.unavailable', status.UNAVAILABLE],
      ['topic.api.unavailable', status.UNAVAILABLE],
      ['subscription.limit.exceeded', status.RESOURCE_EXHAUSTED],
      ['service.protection.triggered', status.RESOURCE_EXHAUSTED],
      ['concurrent.client.limit.exceeded', status.RESOURCE_EXHAUSTED],
      ['subscription.topic.cannot.subscribe', status.PERMISSION_DENIED],
      ['topic.not.found', status.NOT_FOUND],
      ['service.auth.error', status.UNAUTHENTICATED],
      ['service.auth.headers.invalid', status.UNAUTHENTICATED],
      ['an error that nobody has heard of', status.DATA_LOSS],
    ])('%s it goes on after the committed event', async (errorCode, code) => {
      await startOrders();
      const before = publish();
      await seen('no-position', before);
      salesforce.endStreams(code, errorCode);
      const meanwhile = publish();
      await seen('no-position', before, meanwhile);
      expect(orders.log).toEqual(['no-position', before, meanwhile]);
      expect(health()?.reconnects).toBe(1);
    });
  });

  it('looks whether the user can read the objects, and says so until it can', async () => {
    const [found, missing] = [json({ queryable: true }), json([{ errorCode: 'NOT_FOUND', message: 'no' }], 404)];
    salesforce.rest.answer = (exchange, response) =>
      (exchange.path.includes('/Order/') ? missing : found)(exchange, response);
    const both = Object.assign(orders, { entities: ['Order', 'OrderItem'] });
    source = newSource({ accessCheckMs: 20 });
    await source.start(new Map([['/data/ChangeEvents', both]]), orders.position);
    await until('it was found', () => health()?.unreadable.length === 1);
    expect(health()).toMatchObject({ state: 'live', unreadable: ['Order'] });
    salesforce.rest.answer = found;
    await until('it is mended', () => health()?.unreadable.length === 0);
    expect(lines).toEqual([
      expect.stringMatching(/^error: \/data\/ChangeEvents: the user may not read all of Order: .*View All Records/),
      'info: /data/ChangeEvents: the user may read all of Order now',
    ]);
  });

  it('waits for the running handler in stop, and calls none afterwards', async () => {
    await startOrders();
    const release = holdHandler();
    const first = publish();
    await until('the handler runs', () => orders.running === 1);
    let hasStopped = false;
    const stopping = source.stop().then(() => (hasStopped = true));
    await until('the stream is gone', () => salesforce.streamCount === 0);
    expect(hasStopped).toBe(false);
    release();
    await stopping;
    publish();
    expect(orders.log).toEqual(['no-position', first]);
    expect(orders.running).toBe(0);
    expect(health()?.state).toBe('stopped');
  });
});
