import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ACCOUNTS, ORDERS, PubSubStage } from './pubsub-stage.js';
import { RecordingConsumer } from './recording-consumer.js';
import { eventually } from '../../support/eventually.js';

describe('the Pub/Sub change event source, when something fails,', () => {
  let stage: PubSubStage;
  beforeEach(async () => {
    stage = await PubSubStage.open();
  });
  afterEach(() => stage.close());

  it('is not live while its connection is being made, however long that takes', async () => {
    const held = new Set<Socket>();
    const mute = createServer((socket) => void held.add(socket)).listen(0, '127.0.0.1');
    await once(mute, 'listening');
    const endpoint = `http://127.0.0.1:${(mute.address() as AddressInfo).port}`;
    const states = new Set<string | undefined>();
    stage.orders.committed = 'AAAAAAAAA+g=';
    stage.newSource({ endpoint, decideMs: 20, watchdogMs: 300 });
    const started = stage.source.start(new Map([[ORDERS, stage.orders]]), stage.orders.position);
    await eventually(
      () => {
        states.add(stage.health?.state);
        return (stage.health?.reconnects ?? 0) > 1;
      },
      { what: 'it has given up', withinMs: 8_000 },
    );
    await started;
    expect([...states]).not.toContain('live');
    expect(stage.health?.behindMs).toBeUndefined();
    for (const socket of held) socket.destroy();
    mute.close();
  });

  describe('goes on', () => {
    it('with a new token when the old one is rejected, and with the same sign-in for all topics', async () => {
      const accounts = new RecordingConsumer();
      stage.newSource();
      await stage.source.start(
        new Map([
          [ORDERS, stage.orders],
          [ACCOUNTS, accounts],
        ]),
        (topic) => (topic === ORDERS ? stage.orders : accounts).position(),
      );
      await stage.live();
      const before = stage.publish();
      await stage.seen('no-position', before);
      stage.salesforce.revokeToken();
      stage.salesforce.endStreams(status.UNAUTHENTICATED, 'service.auth.error');
      const meanwhile = stage.publish();
      await stage.seen('no-position', before, meanwhile);
      await stage.live();
      expect(stage.orders.log).toEqual(['no-position', before, meanwhile]);
      expect(stage.salesforce.rest.grants).toHaveLength(2);
      expect(stage.lines.filter((line) => line.startsWith('warn'))).toEqual([
        expect.stringContaining('the token of the change events was rejected'),
      ]);
    });

    it('waiting longer and longer while every token is rejected', async () => {
      stage.salesforce.rejectsTokens = true;
      stage.newSource({ connectRetryMaxMs: 10, refusedRetryMaxMs: 60_000 });
      const begin = performance.now();
      await stage.source.start(new Map([[ORDERS, stage.orders]]), stage.orders.position);
      await eventually(() => (stage.health?.reconnects ?? 0) >= 6, {
        what: 'it was refused six times',
        withinMs: 8_000,
      });
      // Five waits of at least half of 10, 20, 40, 80 and 160 ms. If `connectRetryMaxMs` bounded them, 25 ms would do.
      expect(performance.now() - begin).toBeGreaterThan(150);
      stage.salesforce.rejectsTokens = false;
      await stage.live();
    });

    it('without loss or repetition when every connection is cut', async () => {
      await stage.startOrders();
      const before = stage.publish();
      await stage.seen('no-position', before);
      await stage.salesforce.dropConnections();
      const meanwhile = stage.publish();
      await stage.seen('no-position', before, meanwhile);
      expect(stage.orders.log).toEqual(['no-position', before, meanwhile]);
      expect(stage.lines).toEqual([
        expect.stringMatching(/^warn: the stream of change events is lost: /),
        'info: the stream of change events is live again',
      ]);
    });

    it('although the connection was given up for another topic while the position was read', async () => {
      const accounts = new RecordingConsumer();
      stage.newSource();
      let asked = 0;
      let answer: () => void = () => undefined;
      const secondAnswer = new Promise<void>((resolve) => (answer = resolve));
      const position = async (topic: string) => {
        if (topic === ACCOUNTS) return accounts.position();
        if (++asked === 2) await secondAnswer;
        return stage.orders.position();
      };
      const handlers = new Map([[ORDERS, stage.orders], [ACCOUNTS, accounts]]); // prettier-ignore
      await stage.source.start(handlers, position);
      await stage.live();
      const reconnects = () => stage.source.health()[1]?.reconnects;
      const isAccountsLive = () => stage.source.health()[1]?.state === 'live';
      await stage.salesforce.dropConnections();
      await eventually(() => asked === 2, { what: 'orders ask for their position', withinMs: 8_000 });
      await eventually(() => reconnects() === 1 && isAccountsLive(), {
        what: 'accounts are live on the second connection',
        withinMs: 8_000,
      });
      await stage.salesforce.dropConnections();
      await eventually(() => reconnects() === 2 && isAccountsLive(), {
        what: 'accounts are live on a third connection',
        withinMs: 8_000,
      });
      answer();
      await stage.live();
      const event = stage.publish();
      await eventually(() => stage.orders.log.includes(event), { what: 'orders are heard', withinMs: 8_000 });
    });

    it('on a new connection when Salesforce falls silent', async () => {
      await stage.startOrders({ watchdogMs: 500 });
      const before = stage.publish();
      await stage.seen('no-position', before);
      stage.salesforce.isSilent = true;
      const meanwhile = stage.publish();
      await eventually(() => stage.health?.lastError?.includes('nothing came from Salesforce for 500 ms') === true, {
        what: 'it is noticed',
        state: () => stage.health,
        withinMs: 8_000,
      });
      stage.salesforce.isSilent = false;
      await stage.seen('no-position', before, meanwhile);
      expect(stage.orders.log).toEqual(['no-position', before, meanwhile]);
    });

    it('[N9] on a new connection when the old one does not answer, long before a keep-alive is overdue', async () => {
      await stage.startOrders({ quietMs: 100 });
      const before = stage.publish();
      await stage.seen('no-position', before);
      stage.salesforce.isSilent = stage.salesforce.isReticent = true;
      const meanwhile = stage.publish();
      await eventually(() => stage.health?.lastError?.includes('the connection does not answer') === true, {
        what: 'it is noticed',
        state: () => stage.health,
        withinMs: 20_000,
      });
      stage.salesforce.isSilent = stage.salesforce.isReticent = false;
      await stage.seen('no-position', before, meanwhile);
    });

    it('[N9] and leaves a silent stream alone while its connection answers', async () => {
      await stage.startOrders({ quietMs: 50 });
      await stage.seen('no-position', stage.publish());
      stage.salesforce.isSilent = true;
      const asked = stage.salesforce.descriptions;
      await eventually(() => stage.salesforce.descriptions >= asked + 3, { what: 'it is asked for signs of life' });
      expect(stage.health).toMatchObject({ state: 'live', reconnects: 0 });
    });

    it('when its position cannot be read, until it can', async () => {
      let attempts = 0;
      stage.newSource();
      const position = () =>
        attempts++ < 3 ? Promise.reject(new Error('the store is away')) : stage.orders.position();
      await stage.source.start(new Map([[ORDERS, stage.orders]]), position);
      expect(stage.health).toMatchObject({
        state: 'lost',
        lastError: 'its position could not be read: the store is away',
      });
      await stage.live();
    });

    it('with one sign-in for all topics, however often each tries', async () => {
      let attempts = 0;
      stage.salesforce.rest.answerToken = (_, response) => {
        attempts += 1;
        response.writeHead(400, { 'content-type': 'application/json' }).end('{"error":"invalid_client"}');
      };
      const topics = Array.from({ length: 20 }, (__, n) => `/data/Object${n}__ChangeEvent`);
      stage.newSource();
      await stage.source.start(new Map(topics.map((topic) => [topic, stage.orders])), stage.orders.position);
      await eventually(() => stage.source.health().every(({ reconnects }) => reconnects >= 4), {
        what: 'all have tried often',
        withinMs: 8_000,
      });
      expect(attempts).toBeLessThan(20);
      stage.salesforce.rest.answerToken = undefined;
      await stage.live();
    });

    it('when Salesforce is away at the start', async () => {
      stage.salesforce.rest.answerToken = (_, response) => void response.writeHead(503).end();
      stage.newSource();
      await stage.source.start(new Map([[ORDERS, stage.orders]]), stage.orders.position);
      expect(stage.health).toMatchObject({ state: 'lost', lastError: expect.stringMatching(/sign-in at .* failed/) });
      stage.salesforce.rest.answerToken = undefined;
      await stage.live();
    });
  });

  // These errors are from the table in the Pub/Sub API Guide, "Handling Errors".
  describe('after the error', () => {
    it.each(['subscription.fetch.replayid.corrupted', 'subscription.fetch.replayid.validation.failed'])(
      '%s it begins at the latest, and tells of the gap',
      async (errorCode) => {
        stage.orders.committed = stage.publish();
        stage.publish();
        stage.salesforce.oldestReplayId = 1_000_000;
        stage.salesforce.replayIdError = errorCode;
        await stage.startOrders();
        await stage.seen('position-expired');
        const next = stage.publish();
        await stage.seen('position-expired', next);
        expect(stage.orders.log).toEqual(['position-expired', next]);
        const presets = stage.salesforce.requests.map(({ replayPreset }) => replayPreset);
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
      await stage.startOrders();
      const before = stage.publish();
      await stage.seen('no-position', before);
      stage.salesforce.endStreams(code, errorCode);
      const meanwhile = stage.publish();
      await stage.seen('no-position', before, meanwhile);
      expect(stage.orders.log).toEqual(['no-position', before, meanwhile]);
      expect(stage.health?.reconnects).toBe(1);
    });
  });
});
