import { expect, it } from '@jest/globals';
import { RecordingConsumer } from '../../integration/integrations/recording-consumer.js';
import { eventually } from '../../support/eventually.js';
import { ORDERS, type EventSourceLab } from './lab.js';

const ACCOUNTS = '/data/AccountChangeEvent';

/** In which order and how often the source delivers events, and from which position. */
export function describeDelivery(lab: () => EventSourceLab): void {
  it('tells of the gap before the first event when there is no position, then hands over in order', async () => {
    const orders = await lab().listen();
    expect(orders.consumer.log).toEqual(['no-position']);
    for (let n = 0; n < 250; n++) lab().change();
    const changes = await orders.changed(250);
    expect(new Set(changes.map(({ replayId }) => replayId)).size).toBe(250);
    const texts = changes.map(({ fields }) => Number(String(fields['Description']).slice('change '.length)));
    expect(texts).toEqual([...texts].sort((a, b) => a - b));
    expect(orders.consumer.runningMax).toBe(1);
    expect(orders.health).toMatchObject({
      topic: ORDERS,
      transport: lab().transport.name,
      events: { UPDATE: 250 },
      gaps: 1,
      waiting: 0,
      lastPosition: changes.at(-1)?.replayId,
      lastCommitTimestamp: changes.at(-1)?.commitTimestamp,
    });
  });

  it('[P16] begins a second time after what was committed, without a gap', async () => {
    const orders = await lab().listen();
    lab().change();
    await orders.events(1);
    await orders.source.stop();
    lab().change();
    lab().change();
    const again = await lab().listen(ORDERS, { consumer: orders.consumer });
    await again.events(3);
    expect(again.consumer.log.filter((entry) => entry === 'no-position')).toHaveLength(1);
  });

  it('[P15] hands over again what was taken but not committed', async () => {
    const orders = await lab().listen();
    lab().change();
    await orders.events(1);
    const { committed } = orders.consumer;
    lab().change();
    await orders.events(2);
    await orders.source.stop();
    orders.consumer.committed = committed;
    const again = await lab().listen(ORDERS, { consumer: orders.consumer });
    const events = await again.events(3);
    expect(events[2]).toEqual(events[1]);
  });

  it('[P17] hands over the same batch until it is taken, and loses nothing that comes meanwhile', async () => {
    const orders = await lab().listen();
    let rejections = 3;
    orders.consumer.beforeEvent = async () => {
      lab().change();
      if (rejections-- > 0) throw new Error('the store is away');
      orders.consumer.beforeEvent = () => Promise.resolve();
    };
    lab().change();
    await orders.events(5);
    expect(orders.health).toMatchObject({ retries: 3, failures: 0, state: 'live', lastError: undefined });
  });

  it('gathers what comes while the handler is busy into batches, and holds no more than its bound', async () => {
    const orders = await lab().listen(ORDERS, { queueMax: 50, batchMax: 20 });
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    orders.consumer.beforeEvent = () => held;
    for (let n = 0; n < 300; n++) lab().change();
    await orders.until('the queue is full', () => orders.health.waiting >= 50);
    expect(orders.health.waiting).toBeLessThanOrEqual(50);
    release();
    const changes = await orders.changed(300);
    expect(new Set(changes.map(({ replayId }) => replayId)).size).toBe(300);
    expect(Math.max(...orders.consumer.batchSizes)).toBeLessThanOrEqual(20);
    expect(orders.consumer.batchSizes).toContain(20);
  });

  it('keeps topics apart, each with its own position, on one sign-in', async () => {
    const [orders, accounts] = [new RecordingConsumer(), new RecordingConsumer()];
    const source = lab().source();
    const consumers = new Map([
      [ORDERS, orders],
      [ACCOUNTS, accounts],
    ]);
    await source.start(consumers, (topic) => (consumers.get(topic) as RecordingConsumer).position());
    await eventually(() => source.health().every(({ state }) => state === 'live'), {
      what: 'both are live',
      withinMs: 8_000,
    });
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    orders.beforeEvent = () => held; // holds up its own topic only
    lab().change();
    lab().sandbox.org.create('Account', { Name: 'Apart' });
    await eventually(() => accounts.events.length === 1, {
      what: 'the account has come',
      state: () => source.health(),
      withinMs: 8_000,
    });
    expect(orders.events).toHaveLength(0);
    release();
    await eventually(() => orders.events.length === 1, { what: 'the order has come', withinMs: 8_000 });
  });

  it('[P16] can be started again with the same handlers, after what was committed, as often as it was stopped', async () => {
    const orders = await lab().listen();
    for (let round = 1; round <= 3; round++) {
      lab().change();
      await orders.events(2 * round - 1);
      await orders.source.stop();
      lab().change(); // nobody listens
      await orders.source.start(new Map([[ORDERS, orders.consumer]]), orders.consumer.position);
      await orders.events(2 * round);
      await orders.live();
    }
    const texts = orders.changes.map(({ fields }) => fields['Description']);
    expect(new Set(texts).size).toBe(6);
    expect(orders.consumer.log.filter((entry) => entry === 'no-position')).toHaveLength(1);
    expect(orders.consumer.runningMax).toBe(1);
    expect(orders.health).toMatchObject({ events: { UPDATE: 1 }, waiting: 0, gaps: 0 });
  });

  it('calls no handler of a former start, and cannot be started twice at a time', async () => {
    const former = await lab().listen();
    await expect(former.source.start(new Map(), former.consumer.position)).rejects.toThrow('stop it first');
    let reject = (): void => undefined;
    former.consumer.beforeEvent = () => new Promise((_, refuse) => (reject = () => refuse(new Error('away'))));
    lab().change();
    await former.until('the handler is called', () => former.consumer.running === 1);
    const stopped = former.source.stop();
    reject(); // without the stop the source would call the handler again
    await stopped;
    const consumer = new RecordingConsumer();
    await former.source.start(new Map([[ORDERS, consumer]]), former.consumer.position);
    await former.live();
    lab().change();
    await eventually(() => consumer.events.length > 0, { what: 'the new handler has the event', withinMs: 8_000 });
    expect(former.consumer.events).toHaveLength(0);
    expect(former.consumer.log).toEqual(['no-position']);
  });

  it('calls no handler after it has stopped, and has ended what it held open', async () => {
    const orders = await lab().listen();
    await orders.source.stop();
    lab().change();
    await eventually(
      () => {
        const { cometdSessions, pubSubStreams } = lab().sandbox.listening;
        return cometdSessions + pubSubStreams === 0;
      },
      { what: 'the sandbox has nobody left', withinMs: 8_000 },
    );
    expect(orders.consumer.log).toEqual(['no-position']);
    expect(orders.health.state).toBe('stopped');
  });
}
