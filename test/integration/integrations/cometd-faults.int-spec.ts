import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ACCOUNTS, CometdStage, ORDERS } from './cometd-stage.js';
import { RecordingConsumer } from './recording-consumer.js';
import { StreamingDouble } from './streaming-double.js';
import { eventually } from '../../support/eventually.js';

describe('the CometD change event source, when something fails,', () => {
  let stage: CometdStage;
  beforeEach(async () => {
    stage = await CometdStage.open();
  });
  afterEach(() => stage.close());

  it('tells of the gap, once live, when the committed id has expired', async () => {
    stage.orders.committed = stage.publish(1);
    stage.publish(2);
    stage.salesforce.oldestReplayId = 1_000_000;
    await stage.startOrders();
    await stage.seen('position-expired');
    const next = stage.publish(3);
    await stage.seen('position-expired', next);
    expect(stage.orders.log).toEqual(['position-expired', next]);
    expect(stage.salesforce.subscribes.map(({ replay }) => replay)).toEqual([Number(stage.orders.committed) - 6, -1]);
  });

  it('goes on without loss or repetition when the session is killed', async () => {
    await stage.startOrders();
    const before = stage.publish(1);
    await stage.seen('no-position', before);
    stage.salesforce.killSessions();
    const meanwhile = [stage.publish(2), stage.publish(3)];
    await stage.seen('no-position', before, ...meanwhile);
    expect(stage.lines).toEqual([
      expect.stringMatching(/^warn: the stream of change events is lost: .*Unknown client/),
      'info: the stream of change events is live again',
    ]);
    const after = stage.publish(4);
    await stage.seen('no-position', before, ...meanwhile, after);
    expect(stage.orders.log).toEqual(['no-position', before, ...meanwhile, after]);
    expect(stage.source.health()[0]?.reconnects).toBe(1);
  });

  it('[C9] reads no answer without end, and goes on when they end again', async () => {
    stage.salesforce.floods = true;
    stage.newSource();
    await stage.source.start(new Map([[ORDERS, stage.orders]]), stage.orders.position);
    await eventually(() => stage.lines.some((line) => /an answer of more than \d+ bytes/.test(line)), {
      what: 'it is noticed',
      withinMs: 8_000,
    });
    expect(stage.salesforce.bytesFlooded).toBeLessThan(200 * 1_048_576);
    stage.salesforce.floods = false;
    await stage.live();
    await stage.seen('no-position', stage.publish(1));
  });

  it('[B8] takes its token to no other host', async () => {
    let heard = 0;
    const other = createServer((_, response) => void response.end('[]')).on('connection', () => (heard += 1));
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    stage.salesforce.redirectsTo = `http://127.0.0.1:${(other.address() as AddressInfo).port}/cometd/67.0`;
    stage.newSource({ watchdogMs: 200 });
    await stage.source.start(new Map([[ORDERS, stage.orders]]), stage.orders.position);
    await eventually(() => stage.source.health()[0]?.state !== 'connecting', { what: 'it is lost', withinMs: 8_000 });
    stage.salesforce.redirectsTo = undefined;
    await stage.live();
    expect(heard).toBe(0);
    await new Promise((resolve) => other.close(resolve));
  });

  it('notices an id that expired while the session was lost', async () => {
    await stage.startOrders();
    await stage.seen('no-position', stage.publish(1));
    stage.salesforce.oldestReplayId = 1_000_000;
    stage.salesforce.killSessions();
    await eventually(() => stage.orders.log.includes('position-expired'), {
      what: 'the gap is told',
      state: () => [stage.orders.log, stage.source.health()],
      withinMs: 8_000,
    });
  });

  it('signs in again and goes on when the token is revoked', async () => {
    await stage.startOrders();
    const before = stage.publish(1);
    await stage.seen('no-position', before);
    stage.salesforce.revokeToken();
    const meanwhile = stage.publish(2);
    await stage.seen('no-position', before, meanwhile);
    expect(stage.orders.log).toEqual(['no-position', before, meanwhile]);
    expect(stage.salesforce.tokensIssued).toBe(2);
  });

  it('goes on when every connection is cut', async () => {
    await stage.startOrders();
    await stage.seen('no-position', stage.publish(1));
    stage.salesforce.dropConnections();
    const meanwhile = stage.publish(2);
    await eventually(() => stage.orders.log.includes(meanwhile), {
      what: 'it arrived',
      state: () => [stage.orders.log, stage.source.health()],
      withinMs: 8_000,
    });
  });

  it('rebuilds the connection when Salesforce falls silent', async () => {
    await stage.startOrders({ watchdogMs: 1_200 });
    await stage.seen('no-position', stage.publish(1));
    stage.salesforce.isSilent = true;
    await eventually(() => stage.source.health()[0]?.state === 'lost', {
      what: 'it is noticed',
      state: () => stage.source.health(),
      withinMs: 8_000,
    });
    expect(stage.source.health()[0]?.lastError).toMatch(/no answer to \/meta\/connect|connection to Salesforce broke/);
    stage.salesforce.isSilent = false;
    const next = stage.publish(2);
    await eventually(() => stage.orders.log.includes(next), {
      what: 'it arrived',
      state: () => [stage.orders.log, stage.source.health()],
      withinMs: 8_000,
    });
  });

  it.each([
    [
      'refuses connects because it is busy',
      '503::Server is too busy. Please try your request again later.',
      'warn',
      'lost',
    ],
    ['has no more events for the org today', '403::Organization total events daily limit exceeded', 'error', 'used up'],
    ['has too many clients', '403::Organization concurrent user limit exceeded', 'error', 'asked less often'],
  ])('goes on after Salesforce %s', async (_, error, level, text) => {
    await stage.startOrders();
    const before = stage.publish(1);
    await stage.seen('no-position', before);
    stage.salesforce.refuseConnects(error);
    const meanwhile = stage.publish(2);
    await eventually(() => (stage.source.health()[0]?.reconnects ?? 0) >= 2, {
      what: 'it was refused again',
      withinMs: 8_000,
    });
    expect(stage.orders.log).toEqual(['no-position', before]);
    expect(stage.lines).toEqual([expect.stringMatching(new RegExp(`^${level}: .*${text}.*${error.slice(0, 20)}`))]);
    stage.salesforce.refuseConnects(undefined);
    await stage.seen('no-position', before, meanwhile);
    expect(stage.orders.log).toEqual(['no-position', before, meanwhile]);
  });

  it.each([
    ['403::Organization concurrent user limit exceeded', 'error: Salesforce asks to be asked less often'],
    ['503::Server is too busy. Please try your request again later.', 'warn: the stream of change events is lost'],
    ['400::Something that nobody has heard of', 'warn: the stream of change events is lost'],
  ])('shakes hands again although the advice forbids it: %s', async (error, line) => {
    stage.salesforce.handshakeError = error;
    stage.newSource();
    await stage.source.start(new Map([[ORDERS, stage.orders]]), stage.orders.position);
    expect(stage.source.health()[0]).toMatchObject({ state: 'lost', lastError: expect.stringContaining(error) });
    await eventually(() => (stage.source.health()[0]?.reconnects ?? 0) >= 3, {
      what: 'it was tried again',
      withinMs: 8_000,
    });
    expect(stage.lines).toEqual([expect.stringContaining(line)]);
    stage.salesforce.handshakeError = undefined;
    await stage.live();
  });

  it.each([503, 502, 413, 403, 500])('goes on after HTTP %i without a word of CometD', async (httpStatus) => {
    await stage.startOrders();
    const before = stage.publish(1);
    await stage.seen('no-position', before);
    stage.salesforce.httpStatus = httpStatus;
    stage.salesforce.dropConnections();
    const meanwhile = stage.publish(2);
    await eventually(() => (stage.source.health()[0]?.reconnects ?? 0) >= 2, {
      what: 'it was refused again',
      withinMs: 8_000,
    });
    stage.salesforce.httpStatus = undefined;
    await stage.seen('no-position', before, meanwhile);
    expect(stage.orders.log).toEqual(['no-position', before, meanwhile]);
  });

  it('replaces a session that answers everything but a subscription', async () => {
    stage.salesforce.ignoresSubscriptions = true;
    stage.newSource({ watchdogMs: 700 }); // longer than the double holds a connect (500 ms)
    const started = stage.source.start(new Map([[ORDERS, stage.orders]]), stage.orders.position);
    await eventually(() => stage.source.health()[0]?.state === 'lost', { what: 'it is noticed', withinMs: 8_000 });
    expect(stage.source.health()[0]?.lastError).toBe(`no answer to the subscription of ${ORDERS} for 700 ms`);
    stage.salesforce.ignoresSubscriptions = false;
    await stage.live();
    await started;
  });

  it('sends back both cookies of the session, without which it would be unknown', async () => {
    await stage.startOrders();
    await stage.seen('no-position', stage.publish(1));
    stage.salesforce.killSessions();
    await stage.seen('no-position', String(stage.salesforce.newestReplayId), stage.publish(2));
    expect([...stage.salesforce.cookies]).toEqual(['BAYEUX_BROWSER;sfdc-stream']);
  });

  it('retries one refused topic while the others go on', async () => {
    const accounts = new RecordingConsumer();
    stage.salesforce.refusedTopics.set(
      ACCOUNTS,
      "400::The channel you requested to subscribe to doesn't exist {/data/AccountChangeEvent}",
    );
    stage.newSource();
    await stage.source.start(
      new Map([
        [ORDERS, stage.orders],
        [ACCOUNTS, accounts],
      ]),
      stage.orders.position,
    );
    await stage.seen('no-position', stage.publish(1));
    expect(stage.source.health().find(({ topic }) => topic === ACCOUNTS)?.lastError).toContain("doesn't exist");
    expect(stage.source.health().find(({ topic }) => topic === ORDERS)?.reconnects).toBe(0);
    stage.salesforce.refusedTopics.clear();
    await stage.live();
    expect(stage.lines).toEqual([
      expect.stringMatching(/^warn: \/data\/AccountChangeEvent cannot be subscribed: .*doesn't exist/),
      'info: /data/AccountChangeEvent is live again',
    ]);
  });

  it('may be refused for long: an attempt leaves no listener behind', async () => {
    // Counts listeners, because Jest's sandbox does not pass on Node's own MaxListenersExceededWarning.
    const [adds, removes] = (['addEventListener', 'removeEventListener'] as const).map((method) =>
      jest.spyOn(EventTarget.prototype, method),
    );
    const left = (): number => (adds?.mock.calls.length ?? 0) - (removes?.mock.calls.length ?? 0);
    try {
      stage.salesforce.refusedTopics.set(ORDERS, '403::no permission');
      stage.newSource({ retryMinMs: 1, connectRetryMaxMs: 2 });
      await stage.source.start(new Map([[ORDERS, stage.orders]]), stage.orders.position);
      await eventually(() => stage.salesforce.subscribes.length > 30, {
        what: 'it was tried thirty times',
        withinMs: 8_000,
      });
      expect(adds?.mock.calls.length).toBeGreaterThan(25);
      expect(left()).toBeLessThan(5);
      expect(stage.lines).toHaveLength(1);
    } finally {
      jest.restoreAllMocks();
    }
  });

  it('waits longer and longer while Salesforce refuses the sign-in, and says so once', async () => {
    stage.salesforce.refusesSignIn = true;
    stage.newSource({ connectRetryMaxMs: 10, refusedRetryMaxMs: 60_000 });
    const begin = performance.now();
    await stage.source.start(new Map([[ORDERS, stage.orders]]), stage.orders.position);
    await eventually(() => (stage.source.health()[0]?.reconnects ?? 0) >= 6, {
      what: 'it was refused six times',
      withinMs: 8_000,
    });
    // Five waits of at least half of 10, 20, 40, 80 and 160 ms. If `connectRetryMaxMs` bounded them, 25 ms would do.
    expect(performance.now() - begin).toBeGreaterThan(150);
    expect(stage.lines).toEqual([
      expect.stringMatching(/^error: Salesforce refuses the sign-in of the change events: /),
    ]);
    stage.salesforce.refusesSignIn = false;
    await stage.live();
    expect(stage.lines.at(-1)).toBe('info: the stream of change events is live again');
  });

  it('starts although Salesforce is away, and connects when it is back', async () => {
    const url = new URL(stage.salesforce.url);
    stage.newSource();
    await stage.salesforce.stop();
    await stage.source.start(new Map([[ORDERS, stage.orders]]), stage.orders.position);
    expect(stage.source.health()[0]).toMatchObject({
      state: 'lost',
      lastError: expect.stringMatching(/sign-in at .* failed/),
    });
    stage.salesforce = await StreamingDouble.start({ port: Number(url.port) });
    await stage.live();
  });
});
