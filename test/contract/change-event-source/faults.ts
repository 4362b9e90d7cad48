import { expect, it } from '@jest/globals';
import { RecordingConsumer } from '../../integration/integrations/recording-consumer.js';
import { ALL_CHANGES, Listener, ORDERS, type EventSourceLab } from './lab.js';

/** Longer than Salesforce keeps events: 72 hours. */
const RETENTION_MS = 73 * 60 * 60 * 1000;

/** Which events are lost, and which are not, when Salesforce or the connection to it fails. */
export function describeFaults(lab: () => EventSourceLab): void {
  const transport = () => lab().transport.name;

  /** A listener that has taken one event, so it has a position. */
  async function withPosition(options: Parameters<EventSourceLab['listen']>[1] = {}): Promise<Listener> {
    const orders = await lab().listen(ORDERS, options);
    lab().change();
    await orders.events(1);
    return orders;
  }

  /** Makes one more change; fails unless its event arrives, none arrives twice, and the first gap is the only one. */
  async function losesNothing(orders: Listener): Promise<void> {
    lab().change();
    await orders.events(2);
    expect(orders.consumer.log.filter((entry) => !/^\d|=$/.test(entry))).toEqual(['no-position']);
  }

  it('tells of the gap, once live, when its position has expired', async () => {
    const orders = await withPosition();
    await orders.source.stop();
    lab().sandbox.fault({ fault: 'advance-clock', ms: RETENTION_MS });
    lab().change();
    const again = await lab().listen(ORDERS, { consumer: orders.consumer });
    expect(again.consumer.log.at(-1)).toBe('position-expired');
    lab().change();
    await again.events(2);
  });

  it('tells of the gap when the stream was reset while it listened', async () => {
    const orders = await withPosition();
    lab().sandbox.fault({ fault: 'reset-stream' });
    await orders.until('the gap is told', () => orders.consumer.log.at(-1) === 'position-expired');
    await orders.live();
    lab().change();
    await orders.events(2);
    expect(orders.health).toMatchObject({ gaps: 2 });
  });

  it('goes on after the committed event when every connection is cut, those that come next too', async () => {
    const orders = await withPosition();
    lab().sandbox.fault({ fault: 'drop-connections', transport: transport(), next: 2 });
    await losesNothing(orders);
    expect(orders.health.reconnects).toBeGreaterThan(0);
  });

  it('goes on when its session is forgotten, or its stream ended without a word', async () => {
    const orders = await withPosition();
    lab().sandbox.fault(transport() === 'cometd' ? { fault: 'kill-sessions' } : { fault: 'end-streams' });
    await losesNothing(orders);
  });

  it('goes on when Salesforce is too busy for a while', async () => {
    const orders = await withPosition();
    lab().sandbox.fault({ fault: 'refuse', target: transport(), error: 'unavailable', count: 3 });
    lab().sandbox.fault({ fault: 'drop-connections', transport: transport() });
    await losesNothing(orders);
  });

  it('signs in again when its token is worth nothing any more', async () => {
    const orders = await withPosition();
    lab().sandbox.fault({ fault: 'revoke-tokens' });
    lab().sandbox.fault({ fault: 'drop-connections', transport: transport() });
    await losesNothing(orders);
  });

  it('goes on when signing in fails for a while', async () => {
    const orders = await withPosition();
    lab().sandbox.fault({ fault: 'revoke-tokens' });
    lab().sandbox.fault({ fault: 'refuse', target: 'oauth', error: 'invalid-client', count: 2 });
    lab().sandbox.fault({ fault: 'drop-connections', transport: transport() });
    await losesNothing(orders);
  });

  it("waits, and says so once, while the org has used up its day's events", async () => {
    const orders = await withPosition();
    lab().sandbox.fault({ fault: 'event-limit', isExceeded: true });
    await orders.until('it was refused again', () => orders.health.reconnects >= 3);
    expect(lab().lines.filter((line) => line.includes('used up its change events of the day'))).toHaveLength(1);
    expect(orders.health.state).not.toBe('live');
    lab().sandbox.fault({ fault: 'event-limit', isExceeded: false });
    await losesNothing(orders);
  });

  it('replaces a stream that is open and dead', async () => {
    const orders = await withPosition({ watchdogMs: 1_500 });
    lab().sandbox.fault({ fault: 'silence', transport: transport(), isOn: true });
    lab().change();
    await orders.until('it is noticed', () => orders.health.reconnects > 0);
    expect(orders.consumer.events).toHaveLength(1);
    lab().sandbox.fault({ fault: 'silence', transport: transport(), isOn: false });
    await orders.events(2);
  });

  it('is refused a channel whose object the user may not see, and takes it up when the user may', async () => {
    lab().sandbox.fault({ fault: 'permission', entityName: 'Order', canViewAll: false });
    const orders = new RecordingConsumer();
    const source = lab().source();
    await source.start(new Map([[ORDERS, orders]]), orders.position);
    expect(source.health()).toMatchObject([{ state: 'lost', lastError: expect.stringMatching(/not allowed|may not/) }]);
    lab().sandbox.endFaults();
    await new Listener(ORDERS, source, orders).live();
    expect(orders.log).toEqual(['no-position']);
  });

  it.each([true, false])(
    'says which objects the user may not read all of, where Salesforce is silent (readable: %s)',
    async (canRead) => {
      lab().sandbox.fault({ fault: 'permission', entityName: 'OrderItem', canRead, canViewAll: false });
      const consumer = Object.assign(new RecordingConsumer(), { entities: ['Order', 'OrderItem', 'Product2'] });
      const all = await lab().listen(ALL_CHANGES, { consumer });
      await all.until('it is found', () => all.health.unreadable.length > 0);
      expect(all.health).toMatchObject({ state: 'live', unreadable: ['OrderItem'] });
      lab().sandbox.endFaults();
      await all.until('it is mended', () => all.health.unreadable.length === 0);
      expect(lab().lines.filter((line) => line.includes('OrderItem'))).toEqual([
        expect.stringMatching(/^error: .*may not read all of OrderItem: .*View All Records/),
        expect.stringMatching(/^info: .*may read all of OrderItem now/),
      ]);
      expect(all.consumer.log).toEqual(['no-position', 'no-position']); // at the start and once mended
    },
  );

  it('notices that a permission was taken away later, and vouches for its object only after a gap', async () => {
    const consumer = Object.assign(new RecordingConsumer(), { entities: ['Order'] });
    const orders = await withPosition({ consumer });
    lab().sandbox.fault({ fault: 'permission', entityName: 'Order', canViewAll: false });
    lab().change();
    await orders.until('it is noticed', () => orders.health.unreadable.length > 0);
    expect(orders.health).toMatchObject({ state: 'live', unreadable: ['Order'] });
    expect(consumer.events).toHaveLength(1);
    let shown: readonly string[] = [];
    consumer.beforeGap = async () => void (shown = orders.health.unreadable);
    lab().sandbox.endFaults();
    await orders.until('it is mended', () => orders.health.unreadable.length === 0);
    expect(shown).toEqual(['Order']);
    expect(consumer.log[2]).toBe('was-unreadable');
    lab().change();
    await orders.until('it hears again', () => orders.changes.at(-1)?.fields['Description'] === lab().newest);
  });
}
