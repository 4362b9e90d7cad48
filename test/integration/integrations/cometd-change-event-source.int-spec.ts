import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { CometdChangeEventSource } from '@bff/integrations/salesforce/events/cometd-change-event-source';
import type { CometdOptions } from '@bff/integrations/salesforce/events/cometd.options';
import { SalesforceConnection } from '@bff/integrations/salesforce/salesforce-connection';
import { RecordingConsumer } from './recording-consumer.js';
import { StreamingDouble } from './streaming-double.js';
import { until } from './until.js';

const ORDERS = '/data/OrderChangeEvent';
const ACCOUNTS = '/data/AccountChangeEvent';

/** Waits that a test has time for. */
const QUICK = { retryMinMs: 10, connectRetryMaxMs: 200, refusedRetryMaxMs: 200, handlerRetryMaxMs: 200 };

function orderChange(n: number): object {
  return {
    ChangeEventHeader: {
      entityName: 'Order',
      recordIds: ['801xx0000000001AAA'],
      changeType: 'UPDATE',
      changedFields: ['Status', 'LastModifiedDate'],
      commitTimestamp: 1_795_206_150_000 + n,
      transactionKey: `t-${n}`,
      sequenceNumber: 1,
      commitNumber: n,
      commitUser: '005xx0000000001AAA',
      changeOrigin: '',
    },
    Status: 'Activated',
  };
}

describe('the CometD change event source', () => {
  let salesforce: StreamingDouble;
  let source: CometdChangeEventSource;
  let orders: RecordingConsumer;
  let lines: string[];
  const started: CometdChangeEventSource[] = [];

  function newSource(options: CometdOptions = {}): CometdChangeEventSource {
    const connection = new SalesforceConnection({ loginUrl: salesforce.url, clientId: 'c', clientSecret: 's' });
    const made = new CometdChangeEventSource(connection, {
      settleMs: 0,
      ...QUICK,
      log: (level, text) => lines.push(`${level}: ${text}`),
      ...options,
    });
    started.push(made);
    return made;
  }

  async function live(of: CometdChangeEventSource = source): Promise<void> {
    await until(
      'every topic is live',
      () => of.health().every(({ state }) => state === 'live'),
      () => of.health(),
    );
  }

  async function startOrders(options: CometdOptions = {}): Promise<void> {
    source = newSource(options);
    await source.start(new Map([[ORDERS, orders]]), orders.position);
    await live();
  }

  const publish = (n: number): string => String(salesforce.publish(ORDERS, orderChange(n)));
  const seen = (...log: string[]): Promise<void> =>
    until(
      `${log.join()} was handed over`,
      () => orders.log.length >= log.length,
      () => [orders.log, source.health()],
    );

  beforeEach(async () => {
    salesforce = await StreamingDouble.start();
    orders = new RecordingConsumer();
    lines = [];
  });

  afterEach(async () => {
    await Promise.all(started.splice(0).map((one) => one.stop()));
    await salesforce.stop();
  });

  it('tells of the gap before the first event when there is no position, then hands over in order', async () => {
    await startOrders();
    const published = [1, 2, 3, 4, 5].map(publish);
    await seen('no-position', ...published);
    expect(orders.log).toEqual(['no-position', ...published]);
    expect(orders.runningMax).toBe(1);
    expect(source.health()[0]).toMatchObject({ topic: ORDERS, state: 'live', events: { UPDATE: 5 }, gaps: 1 });
  });

  it('holds events back until the gap is dealt with', async () => {
    let release = (): void => undefined;
    orders.beforeGap = () => new Promise((resolve) => (release = resolve));
    source = newSource();
    await source.start(new Map([[ORDERS, orders]]), orders.position);
    const first = publish(1);
    await until('the event has arrived', () => source.health()[0]?.lastEventAt !== undefined);
    expect(orders.log).toEqual([]);
    expect(source.health()[0]?.state).toBe('connecting');
    release();
    await seen('no-position', first);
    expect(orders.log).toEqual(['no-position', first]);
  });

  it('gives each topic its own position on one connection', async () => {
    const accounts = new RecordingConsumer();
    orders.committed = publish(1);
    accounts.committed = String(salesforce.publish(ACCOUNTS, orderChange(2)));
    const [order, account] = [publish(3), String(salesforce.publish(ACCOUNTS, orderChange(4)))];
    source = newSource();
    await source.start(
      new Map([
        [ORDERS, orders],
        [ACCOUNTS, accounts],
      ]),
      (topic) => (topic === ORDERS ? orders : accounts).position(),
    );
    await until(
      'both arrived',
      () => orders.log.length + accounts.log.length >= 2,
      () => source.health(),
    );
    expect([orders.log, accounts.log]).toEqual([[order], [account]]);
    expect(salesforce.sessionCount).toBe(1);
  });

  it('resumes after a restart from the committed id without a gap', async () => {
    await startOrders();
    const first = publish(1);
    await seen('no-position', first);
    await source.stop();
    const missed = [publish(2), publish(3)];
    await startOrders();
    await seen('no-position', first, ...missed);
    expect(orders.log).toEqual(['no-position', first, ...missed]);
  });

  it('tells of the gap, once live, when the committed id has expired', async () => {
    orders.committed = publish(1);
    publish(2);
    salesforce.oldestReplayId = 1_000_000;
    await startOrders();
    await seen('position-expired');
    const next = publish(3);
    await seen('position-expired', next);
    expect(orders.log).toEqual(['position-expired', next]);
    expect(salesforce.subscribes.map(({ replay }) => replay)).toEqual([Number(orders.committed) - 6, -1]);
  });

  it('goes on without loss or repetition when the session is killed', async () => {
    await startOrders();
    const before = publish(1);
    await seen('no-position', before);
    salesforce.killSessions();
    const meanwhile = [publish(2), publish(3)];
    await seen('no-position', before, ...meanwhile);
    expect(lines).toEqual([
      expect.stringMatching(/^warn: the stream of change events is lost: .*Unknown client/),
      'info: the stream of change events is live again',
    ]);
    const after = publish(4);
    await seen('no-position', before, ...meanwhile, after);
    expect(orders.log).toEqual(['no-position', before, ...meanwhile, after]);
    expect(source.health()[0]?.reconnects).toBe(1);
  });

  it('notices an id that expired while the session was lost', async () => {
    await startOrders();
    await seen('no-position', publish(1));
    salesforce.oldestReplayId = 1_000_000;
    salesforce.killSessions();
    await until(
      'the gap is told',
      () => orders.log.includes('position-expired'),
      () => [orders.log, source.health()],
    );
  });

  it('signs in again and goes on when the token is revoked', async () => {
    await startOrders();
    const before = publish(1);
    await seen('no-position', before);
    salesforce.revokeToken();
    const meanwhile = publish(2);
    await seen('no-position', before, meanwhile);
    expect(orders.log).toEqual(['no-position', before, meanwhile]);
    expect(salesforce.tokensIssued).toBe(2);
  });

  it('goes on when every connection is cut', async () => {
    await startOrders();
    await seen('no-position', publish(1));
    salesforce.dropConnections();
    const meanwhile = publish(2);
    await until(
      'it arrived',
      () => orders.log.includes(meanwhile),
      () => [orders.log, source.health()],
    );
  });

  it('rebuilds the connection when Salesforce falls silent', async () => {
    await startOrders({ watchdogMs: 1_200 });
    await seen('no-position', publish(1));
    salesforce.isSilent = true;
    await until(
      'it is noticed',
      () => source.health()[0]?.state === 'lost',
      () => source.health(),
    );
    expect(source.health()[0]?.lastError).toMatch(/no answer to \/meta\/connect|connection to Salesforce broke/);
    salesforce.isSilent = false;
    const next = publish(2);
    await until(
      'it arrived',
      () => orders.log.includes(next),
      () => [orders.log, source.health()],
    );
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
    await startOrders();
    const before = publish(1);
    await seen('no-position', before);
    salesforce.refuseConnects(error);
    const meanwhile = publish(2);
    await until('it was refused again', () => (source.health()[0]?.reconnects ?? 0) >= 2);
    expect(orders.log).toEqual(['no-position', before]);
    expect(lines).toEqual([expect.stringMatching(new RegExp(`^${level}: .*${text}.*${error.slice(0, 20)}`))]);
    salesforce.refuseConnects(undefined);
    await seen('no-position', before, meanwhile);
    expect(orders.log).toEqual(['no-position', before, meanwhile]);
  });

  it.each([
    ['403::Organization concurrent user limit exceeded', 'error: Salesforce asks to be asked less often'],
    ['503::Server is too busy. Please try your request again later.', 'warn: the stream of change events is lost'],
    ['400::Something that nobody has heard of', 'warn: the stream of change events is lost'],
  ])('shakes hands again although it was told not to: %s', async (error, line) => {
    salesforce.handshakeError = error;
    source = newSource();
    await source.start(new Map([[ORDERS, orders]]), orders.position);
    expect(source.health()[0]).toMatchObject({ state: 'lost', lastError: expect.stringContaining(error) });
    await until('it was tried again', () => (source.health()[0]?.reconnects ?? 0) >= 3);
    expect(lines).toEqual([expect.stringContaining(line)]);
    salesforce.handshakeError = undefined;
    await live();
  });

  it.each([503, 502, 413, 403, 500])('goes on after HTTP %i without a word of CometD', async (httpStatus) => {
    await startOrders();
    const before = publish(1);
    await seen('no-position', before);
    salesforce.httpStatus = httpStatus;
    salesforce.dropConnections();
    const meanwhile = publish(2);
    await until('it was refused again', () => (source.health()[0]?.reconnects ?? 0) >= 2);
    salesforce.httpStatus = undefined;
    await seen('no-position', before, meanwhile);
    expect(orders.log).toEqual(['no-position', before, meanwhile]);
  });

  it('sends back both cookies of the session, without which it would be unknown', async () => {
    await startOrders();
    await seen('no-position', publish(1));
    salesforce.killSessions();
    await seen('no-position', String(salesforce.newestReplayId), publish(2));
    expect([...salesforce.cookies]).toEqual(['BAYEUX_BROWSER;sfdc-stream']);
  });

  it('subscribes hundreds of topics in requests that Salesforce takes', async () => {
    const topics = Array.from({ length: 300 }, (_, n) => `/data/${'Very_Long_Name'.repeat(5)}${n}__ChangeEvent`);
    source = newSource();
    await source.start(new Map(topics.map((topic) => [topic, orders])), orders.position);
    await live();
    expect(salesforce.subscribes).toHaveLength(300);
    expect(salesforce.requestBytesMax).toBeLessThan(32_768);
  });

  it('passes on a message that it cannot read, and reads on behind it', async () => {
    await startOrders();
    const unreadable = String(salesforce.publish(ORDERS, { no: 'header' }));
    const next = publish(1);
    await seen('no-position', unreadable, next);
    expect(orders.events).toMatchObject([{ kind: 'undecodable', replayId: unreadable }, { kind: 'change' }]);
    expect(source.health()[0]?.events).toEqual({ undecodable: 1, UPDATE: 1 });
  });

  it('commits an id that several events may share only when another one has come', async () => {
    const many = '/data/Orders__chn';
    source = newSource();
    await source.start(new Map([[many, orders]]), orders.position);
    await live();
    const first = String(salesforce.publish(many, orderChange(1)));
    await seen('no-position', first);
    expect(orders.committed).toBeUndefined();
    const second = String(salesforce.publish(many, orderChange(2)));
    await seen('no-position', first, second);
    expect(orders.committed).toBe(first);
  });

  it('P17: retries a rejecting handler and never skips the event', async () => {
    await startOrders({ batchMax: 1 });
    let rejections = 3;
    orders.beforeEvent = () => (rejections-- > 0 ? Promise.reject(new Error('the store is down')) : Promise.resolve());
    const published = [publish(1), publish(2)];
    await seen('no-position', ...published);
    expect(orders.log).toEqual(['no-position', ...published]);
    expect(source.health()[0]).toMatchObject({
      retries: 3,
      failures: 0,
      pendingSince: undefined,
      lastError: undefined,
    });
    expect(lines).toEqual([
      // Both may have come by the first attempt; then they are applied as one batch.
      expect.stringMatching(/^warn: .*(event|events) .* could not be applied: the store is down; trying again until/),
      expect.stringMatching(/^info: .* applied, after 3 failures$/),
    ]);
  });

  it('shows how long and how often an event that cannot be applied has failed, and logs every tenth time', async () => {
    await startOrders({ handlerRetryMaxMs: 10 });
    const begin = Date.now();
    let isDown = true;
    orders.beforeEvent = () => (isDown ? Promise.reject(new Error('the store is down')) : Promise.resolve());
    const first = publish(1);
    await until('it has failed often', () => (source.health()[0]?.failures ?? 0) >= 21);
    const health = source.health()[0];
    expect(health).toMatchObject({ state: 'live', lastError: 'the store is down' });
    expect(health?.pendingSince).toBeGreaterThanOrEqual(begin);
    isDown = false;
    await seen('no-position', first);
    await until('its trouble is forgotten', () => source.health()[0]?.lastError === undefined);
    expect(lines).toEqual([
      expect.stringContaining(`event ${first} could not be applied: the store`),
      expect.stringContaining(`event ${first} could not be applied 10 times`),
      expect.stringContaining(`event ${first} could not be applied 20 times`),
      expect.stringContaining(`event ${first} applied`),
    ]);
  });

  it('P15: passes an event on again when it was handed over but not committed', async () => {
    await startOrders();
    const first = publish(1);
    await seen('no-position', first);
    const second = publish(2);
    await seen('no-position', first, second);
    orders.committed = first;
    salesforce.killSessions();
    await seen('no-position', first, second, second);
    expect(orders.log).toEqual(['no-position', first, second, second]);
  });

  it('stops reading when a topic falls behind, and loses nothing', async () => {
    await startOrders({ queueMax: 3 });
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    orders.beforeEvent = () => gate;
    const published = Array.from({ length: 20 }, (_, n) => publish(n));
    await until(
      'reading stops',
      () => (source.health()[0]?.reconnects ?? 0) > 0,
      () => source.health(),
    );
    release();
    await seen('no-position', ...published);
    expect(orders.log).toEqual(['no-position', ...published]);
  });

  it('retries one refused topic while the others go on', async () => {
    const accounts = new RecordingConsumer();
    salesforce.refusedTopics.set(
      ACCOUNTS,
      "400::The channel you requested to subscribe to doesn't exist {/data/AccountChangeEvent}",
    );
    source = newSource();
    await source.start(
      new Map([
        [ORDERS, orders],
        [ACCOUNTS, accounts],
      ]),
      orders.position,
    );
    await seen('no-position', publish(1));
    expect(source.health().find(({ topic }) => topic === ACCOUNTS)?.lastError).toContain("doesn't exist");
    expect(source.health().find(({ topic }) => topic === ORDERS)?.reconnects).toBe(0);
    salesforce.refusedTopics.clear();
    await live();
    expect(lines).toEqual([
      expect.stringMatching(/^warn: \/data\/AccountChangeEvent cannot be subscribed: .*doesn't exist/),
      'info: /data/AccountChangeEvent is live again',
    ]);
  });

  it('may be refused for long: an attempt leaves no listener behind', async () => {
    // Jest's sandbox does not pass on Node's own MaxListenersExceededWarning.
    const [adds, removes] = (['addEventListener', 'removeEventListener'] as const).map((method) =>
      jest.spyOn(EventTarget.prototype, method),
    );
    const left = (): number => (adds?.mock.calls.length ?? 0) - (removes?.mock.calls.length ?? 0);
    try {
      salesforce.refusedTopics.set(ORDERS, '403::no permission');
      source = newSource({ retryMinMs: 1, connectRetryMaxMs: 2 });
      await source.start(new Map([[ORDERS, orders]]), orders.position);
      await until('it was tried thirty times', () => salesforce.subscribes.length > 30);
      expect(adds?.mock.calls.length).toBeGreaterThan(25);
      expect(left()).toBeLessThan(5);
      expect(lines).toHaveLength(1);
    } finally {
      jest.restoreAllMocks();
    }
  });

  it('waits longer and longer while Salesforce refuses the sign-in, and says so once', async () => {
    salesforce.refusesSignIn = true;
    source = newSource({ connectRetryMaxMs: 10, refusedRetryMaxMs: 60_000 });
    const begin = performance.now();
    await source.start(new Map([[ORDERS, orders]]), orders.position);
    await until('it was refused six times', () => (source.health()[0]?.reconnects ?? 0) >= 6);
    // Five waits of at least half of 10, 20, 40, 80 and 160 ms; by the bound of connections alone it were 25 ms.
    expect(performance.now() - begin).toBeGreaterThan(150);
    expect(lines).toEqual([expect.stringMatching(/^error: Salesforce refuses the sign-in of the change events: /)]);
    salesforce.refusesSignIn = false;
    await live();
    expect(lines.at(-1)).toBe('info: the stream of change events is live again');
  });

  it('waits for the running handler in stop, and calls none afterwards', async () => {
    await startOrders({ batchMax: 1 });
    let release = (): void => undefined;
    orders.beforeEvent = () => new Promise((resolve) => (release = resolve));
    const [first] = [publish(1), publish(2)];
    await until('the handler runs', () => orders.running === 1);
    let hasStopped = false;
    const stopping = source.stop().then(() => (hasStopped = true));
    await until('the session is gone', () => salesforce.sessionCount === 0);
    expect(hasStopped).toBe(false);
    release();
    await stopping;
    publish(3);
    expect(orders.log).toEqual(['no-position', first]);
    expect(orders.running).toBe(0);
    expect(source.health()[0]?.state).toBe('stopped');
  });

  it('starts although Salesforce is away, and connects when it is back', async () => {
    const url = new URL(salesforce.url);
    await salesforce.stop();
    const connection = new SalesforceConnection({ loginUrl: url.origin, clientId: 'c', clientSecret: 's' });
    source = new CometdChangeEventSource(connection, {
      settleMs: 0,
      ...QUICK,
      log: (level, text) => lines.push(`${level}: ${text}`),
    });
    started.push(source);
    await source.start(new Map([[ORDERS, orders]]), orders.position);
    expect(source.health()[0]).toMatchObject({
      state: 'lost',
      lastError: expect.stringMatching(/sign-in at .* failed/),
    });
    salesforce = await StreamingDouble.start({ port: Number(url.port) });
    await live();
  });
});
