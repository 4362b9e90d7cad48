import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ACCOUNTS, CometdStage, orderChange, ORDERS } from './cometd-stage.js';
import { RecordingConsumer } from './recording-consumer.js';
import { eventually } from '../../support/eventually.js';

describe('the CometD change event source', () => {
  let stage: CometdStage;
  beforeEach(async () => {
    stage = await CometdStage.open();
  });
  afterEach(() => stage.close());

  it('tells of the gap before the first event when there is no position, then hands over in order', async () => {
    await stage.startOrders();
    const published = [1, 2, 3, 4, 5].map((n) => stage.publish(n));
    await stage.seen('no-position', ...published);
    expect(stage.orders.log).toEqual(['no-position', ...published]);
    expect(stage.orders.runningMax).toBe(1);
    expect(stage.source.health()[0]).toMatchObject({ topic: ORDERS, state: 'live', events: { UPDATE: 5 }, gaps: 1 });
  });

  it('holds events back until the gap is dealt with', async () => {
    let release = (): void => undefined;
    stage.orders.beforeGap = () => new Promise((resolve) => (release = resolve));
    stage.newSource();
    await stage.source.start(new Map([[ORDERS, stage.orders]]), stage.orders.position);
    const first = stage.publish(1);
    await eventually(() => stage.source.health()[0]?.lastEventAt !== undefined, {
      what: 'the event has arrived',
      withinMs: 8_000,
    });
    expect(stage.orders.log).toEqual([]);
    expect(stage.source.health()[0]?.state).toBe('connecting');
    release();
    await stage.seen('no-position', first);
    expect(stage.orders.log).toEqual(['no-position', first]);
  });

  it('gives each topic its own position on one connection', async () => {
    const accounts = new RecordingConsumer();
    stage.orders.committed = stage.publish(1);
    accounts.committed = String(stage.salesforce.publish(ACCOUNTS, orderChange(2)));
    const [order, account] = [stage.publish(3), String(stage.salesforce.publish(ACCOUNTS, orderChange(4)))];
    stage.newSource();
    await stage.source.start(
      new Map([
        [ORDERS, stage.orders],
        [ACCOUNTS, accounts],
      ]),
      (topic) => (topic === ORDERS ? stage.orders : accounts).position(),
    );
    await eventually(() => stage.orders.log.length + accounts.log.length >= 2, {
      what: 'both arrived',
      state: () => stage.source.health(),
      withinMs: 8_000,
    });
    expect([stage.orders.log, accounts.log]).toEqual([[order], [account]]);
    expect(stage.salesforce.sessionCount).toBe(1);
  });

  it('resumes after a restart from the committed id without a gap', async () => {
    await stage.startOrders();
    const first = stage.publish(1);
    await stage.seen('no-position', first);
    await stage.source.stop();
    const missed = [stage.publish(2), stage.publish(3)];
    await stage.startOrders();
    await stage.seen('no-position', first, ...missed);
    expect(stage.orders.log).toEqual(['no-position', first, ...missed]);
  });

  it('subscribes hundreds of topics in requests that Salesforce takes', async () => {
    const topics = Array.from({ length: 300 }, (_, n) => `/data/${'Very_Long_Name'.repeat(5)}${n}__ChangeEvent`);
    stage.newSource();
    await stage.source.start(new Map(topics.map((topic) => [topic, stage.orders])), stage.orders.position);
    await stage.live();
    expect(stage.salesforce.subscribes).toHaveLength(300);
    expect(stage.salesforce.requestBytesMax).toBeLessThan(32_768);
  });

  it('passes on a message that it cannot read, and reads on behind it', async () => {
    await stage.startOrders();
    const unreadable = String(stage.salesforce.publish(ORDERS, { no: 'header' }));
    const next = stage.publish(1);
    await stage.seen('no-position', unreadable, next);
    expect(stage.orders.events).toMatchObject([{ kind: 'undecodable', replayId: unreadable }, { kind: 'change' }]);
    expect(stage.source.health()[0]?.events).toEqual({ undecodable: 1, UPDATE: 1 });
  });

  it('commits an id that several events may share only when another one has come', async () => {
    const many = '/data/Orders__chn';
    stage.newSource();
    await stage.source.start(new Map([[many, stage.orders]]), stage.orders.position);
    await stage.live();
    const first = String(stage.salesforce.publish(many, orderChange(1)));
    await stage.seen('no-position', first);
    expect(stage.orders.committed).toBeUndefined();
    const second = String(stage.salesforce.publish(many, orderChange(2)));
    await stage.seen('no-position', first, second);
    expect(stage.orders.committed).toBe(first);
  });

  it('[P17] retries a rejecting handler and never skips the event', async () => {
    await stage.startOrders({ batchMax: 1 });
    let rejections = 3;
    stage.orders.beforeEvent = () =>
      rejections-- > 0 ? Promise.reject(new Error('the store is down')) : Promise.resolve();
    const published = [stage.publish(1), stage.publish(2)];
    await stage.seen('no-position', ...published);
    expect(stage.orders.log).toEqual(['no-position', ...published]);
    expect(stage.source.health()[0]).toMatchObject({
      retries: 3,
      failures: 0,
      pendingSince: undefined,
      lastError: undefined,
    });
    expect(stage.lines).toEqual([
      // Both events may have come by the first attempt; then they are applied as one batch.
      expect.stringMatching(/^warn: .*(event|events) .* could not be applied: the store is down; trying again until/),
      expect.stringMatching(/^info: .* applied, after 3 failures$/),
    ]);
  });

  it('shows how long and how often an event that cannot be applied has failed, and logs every tenth time', async () => {
    await stage.startOrders({ handlerRetryMaxMs: 10 });
    const begin = Date.now();
    let isDown = true;
    stage.orders.beforeEvent = () => (isDown ? Promise.reject(new Error('the store is down')) : Promise.resolve());
    const first = stage.publish(1);
    await eventually(() => (stage.source.health()[0]?.failures ?? 0) >= 21, {
      what: 'it has failed often',
      withinMs: 8_000,
    });
    const health = stage.source.health()[0];
    expect(health).toMatchObject({ state: 'live', lastError: 'the store is down' });
    expect(health?.pendingSince).toBeGreaterThanOrEqual(begin);
    isDown = false;
    await stage.seen('no-position', first);
    await eventually(() => stage.source.health()[0]?.lastError === undefined, {
      what: 'its trouble is forgotten',
      withinMs: 8_000,
    });
    expect(stage.lines).toEqual([
      expect.stringContaining(`event ${first} could not be applied: the store`),
      expect.stringContaining(`event ${first} could not be applied 10 times`),
      expect.stringContaining(`event ${first} could not be applied 20 times`),
      expect.stringContaining(`event ${first} applied`),
    ]);
  });

  it('[P15] passes an event on again when it was handed over but not committed', async () => {
    await stage.startOrders();
    const first = stage.publish(1);
    await stage.seen('no-position', first);
    const second = stage.publish(2);
    await stage.seen('no-position', first, second);
    stage.orders.committed = first;
    stage.salesforce.killSessions();
    await stage.seen('no-position', first, second, second);
    expect(stage.orders.log).toEqual(['no-position', first, second, second]);
  });

  it('stops reading when a topic falls behind, and loses nothing', async () => {
    await stage.startOrders({ queueMax: 3 });
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    stage.orders.beforeEvent = () => gate;
    const published = Array.from({ length: 20 }, (_, n) => stage.publish(n));
    await eventually(() => (stage.source.health()[0]?.reconnects ?? 0) > 0, {
      what: 'reading stops',
      state: () => stage.source.health(),
      withinMs: 8_000,
    });
    release();
    await stage.seen('no-position', ...published);
    expect(stage.orders.log).toEqual(['no-position', ...published]);
  });

  it('waits for the running handler in stop, and calls none afterwards', async () => {
    await stage.startOrders({ batchMax: 1 });
    let release = (): void => undefined;
    stage.orders.beforeEvent = () => new Promise((resolve) => (release = resolve));
    const [first] = [stage.publish(1), stage.publish(2)];
    await eventually(() => stage.orders.running === 1, { what: 'the handler runs', withinMs: 8_000 });
    let hasStopped = false;
    const stopping = stage.source.stop().then(() => (hasStopped = true));
    await eventually(() => stage.salesforce.sessionCount === 0, { what: 'the session is gone', withinMs: 8_000 });
    expect(hasStopped).toBe(false);
    release();
    await stopping;
    stage.publish(3);
    expect(stage.orders.log).toEqual(['no-position', first]);
    expect(stage.orders.running).toBe(0);
    expect(stage.source.health()[0]?.state).toBe('stopped');
  });
});
