import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import jsforce from 'jsforce';
import { startSandbox, type Sandbox } from '../../../apps/sandbox/src/sandbox.js';
import { eventually } from '../../support/eventually.js';

interface Received {
  readonly channel: string;
  readonly replayId: number;
  readonly payload: Readonly<Record<string, unknown>>;
}

interface BayeuxMessage {
  channel: string;
  subscription?: string;
  successful?: boolean;
  error?: string;
  advice?: { reconnect?: string };
  ext?: Record<string, unknown>;
}

const ORDERS = '/data/OrderChangeEvent';
const LINES = '/data/OrderItemChangeEvent';

/** One faye client of jsforce with one extension for all channels: two `Replay` extensions would lose a channel. */
class Subscriber {
  readonly received: Received[] = [];
  readonly failures: string[] = [];
  handshakes = 0;
  connects = 0;
  private readonly live = new Set<string>();
  private readonly client: ReturnType<InstanceType<typeof jsforce.Connection>['streaming']['createClient']>;

  constructor(
    url: string,
    token: string,
    readonly replay: Record<string, number>,
  ) {
    const connection = new jsforce.Connection({ version: '67.0', instanceUrl: url, accessToken: token });
    const extension = {
      outgoing: (message: BayeuxMessage, callback: (message: BayeuxMessage) => void) => {
        if (message.channel === '/meta/subscribe' && message.subscription) {
          message.ext = { ...message.ext, replay: { [message.subscription]: this.replay[message.subscription] ?? -1 } };
        }
        callback(message);
      },
      incoming: (message: BayeuxMessage, callback: (message: BayeuxMessage) => void) => {
        this.note(message);
        callback(message);
      },
    };
    this.client = connection.streaming.createClient([extension] as never);
    for (const channel of Object.keys(replay)) {
      void this.client.subscribe(
        channel,
        (message: { event: { replayId: number }; payload: Record<string, unknown> }) => {
          this.received.push({ channel, replayId: message.event.replayId, payload: message.payload });
          this.replay[channel] = message.event.replayId;
        },
      );
    }
  }

  isLive(): Promise<boolean> {
    return eventually(() => Object.keys(this.replay).every((channel) => this.live.has(channel)), {
      what: 'all channels are subscribed',
    });
  }

  /** Resolves when the server has answered the disconnect. If the server were gone, faye would resend it for ever. */
  async close(): Promise<void> {
    const answer = (this.client as unknown as { disconnect(): PromiseLike<void> | undefined }).disconnect();
    await Promise.resolve(answer).catch((error: Error) => this.failures.push(error.message));
  }

  private note(message: BayeuxMessage): void {
    if (message.channel === '/meta/handshake') this.handshakes++;
    if (message.channel === '/meta/connect') this.connects++;
    if (message.channel === '/meta/subscribe' && message.successful && message.subscription)
      this.live.add(message.subscription);
    if (message.successful === false) this.failures.push(`${message.channel} ${message.error ?? ''}`);
  }
}

describe('the sandbox over CometD, as jsforce sees it', () => {
  let sandbox: Sandbox;
  const open: Subscriber[] = [];

  beforeAll(async () => {
    sandbox = await startSandbox({ port: 0, latencyMs: 0, connectTimeoutMs: 1_000 });
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((subscriber) => subscriber.close()));
  });
  afterAll(() => sandbox.close());

  const subscribe = (replay: Record<string, number>): Subscriber => {
    const subscriber = new Subscriber(sandbox.url, sandbox.issueToken(), replay);
    open.push(subscriber);
    return subscriber;
  };
  const someOrder = (index: number) => sandbox.org.records('Order')[index] as { Id: string };
  const lastReplayId = () => sandbox.events.tip;

  it('tells a change with the header, the changed fields and the origin of the REST call', async () => {
    const subscriber = subscribe({ [ORDERS]: -1 });
    await subscriber.isLive();
    const connection = new jsforce.Connection({
      version: '66.0',
      instanceUrl: sandbox.url,
      accessToken: sandbox.issueToken(),
      callOptions: { client: 'tester' },
    });
    const { Id } = someOrder(0);
    await connection.sobject('Order').update({ Id, Description: 'now different' });
    const event = await eventually(() => subscriber.received[0], { what: 'the event has come' });
    expect(event.payload).toMatchObject({
      Description: 'now different',
      ChangeEventHeader: {
        entityName: 'Order',
        recordIds: [Id],
        changeType: 'UPDATE',
        changedFields: ['Description', 'LastModifiedDate'],
        changeOrigin: 'com/salesforce/api/rest/66.0;client=tester',
        sequenceNumber: 1,
      },
    });
  });

  it('replays two channels to one client from the places it names', async () => {
    const before = lastReplayId();
    sandbox.org.update('Order', someOrder(1).Id, { Description: 'first' });
    const between = lastReplayId();
    const line = sandbox.org.records('OrderItem')[0] as { Id: string };
    sandbox.org.update('OrderItem', line.Id, { Description: 'second' });
    sandbox.org.update('Order', someOrder(1).Id, { Description: 'third' });
    expect(sandbox.events.has(before) || before < between).toBe(true);

    const subscriber = subscribe({ [ORDERS]: between, [LINES]: -2 });
    await eventually(() => subscriber.received.length >= 2, { what: 'both replays have come' });
    const texts = subscriber.received.map(({ channel, payload }) => `${channel} ${String(payload['Description'])}`);
    expect(texts).toContain(`${ORDERS} third`);
    expect(texts).toContain(`${LINES} second`);
    expect(texts).not.toContain(`${ORDERS} first`);
  });

  it('refuses a replay id that was never given, and one that has expired', async () => {
    const invented = subscribe({ [ORDERS]: 82 });
    await eventually(() => invented.failures.length > 0, { what: 'the refusal has come' });
    expect(invented.failures[0]).toContain('400::The replayId {82} you provided was invalid.');

    sandbox.org.update('Order', someOrder(2).Id, { Description: 'will expire' });
    const expiring = lastReplayId();
    sandbox.fault({ fault: 'advance-clock', ms: 73 * 3_600_000 });
    const late = subscribe({ [ORDERS]: expiring });
    await eventually(() => late.failures.length > 0, { what: 'the refusal has come' });
    expect(late.failures[0]).toContain(`400::The replayId {${expiring}} you provided was invalid.`);
  });

  it('refuses a channel that does not exist', async () => {
    const subscriber = subscribe({ '/data/NothingChangeEvent': -1 });
    await eventually(() => subscriber.failures.length > 0, { what: 'the refusal has come' });
    expect(subscriber.failures[0]).toContain(
      "400::The channel you requested to subscribe to doesn't exist {/data/NothingChangeEvent}",
    );
  });

  it('forgets its sessions when told to: faye shakes hands again and goes on after the last event', async () => {
    const subscriber = subscribe({ [ORDERS]: -1 });
    await subscriber.isLive();
    sandbox.org.update('Order', someOrder(3).Id, { Description: 'before' });
    await eventually(() => subscriber.received.length === 1, { what: 'the first event has come' });
    await eventually(() => subscriber.connects >= 2, { what: 'a connect is held' });
    sandbox.fault({ fault: 'kill-sessions' });
    sandbox.org.update('Order', someOrder(3).Id, { Description: 'meanwhile' });
    await eventually(() => subscriber.received.length === 2, { what: 'the second event has come', withinMs: 15_000 });
    expect(subscriber.handshakes).toBe(2);
    expect(subscriber.failures.some((failure) => failure.includes('403::Unknown client'))).toBe(true);
    expect(subscriber.received[1]?.payload['Description']).toBe('meanwhile');
  }, 20_000);

  it('ends a held connect with 401 when its token is revoked, and denies the handshake after', async () => {
    const subscriber = subscribe({ [ORDERS]: -1 });
    await subscriber.isLive();
    await eventually(() => subscriber.connects >= 1, { what: 'the first connect was answered' });
    sandbox.fault({ fault: 'revoke-tokens' });
    await eventually(() => subscriber.failures.length > 0, { what: 'the refusal has come' });
    expect(subscriber.failures[0]).toBe('/meta/connect 401::Authentication invalid');

    // Shakes hands without faye, which would keep a timer of five seconds after the denial.
    const headers = { authorization: 'OAuth not-a-token', 'content-type': 'application/json' };
    const body = JSON.stringify([{ channel: '/meta/handshake', id: '1' }]);
    const denied = await fetch(`${sandbox.url}/cometd/67.0`, { method: 'POST', headers, body });
    expect(await denied.json()).toMatchObject([{ error: '403::Handshake denied', advice: { reconnect: 'none' } }]);
  });

  it('delivers a platform event that REST published', async () => {
    const channel = '/event/Account_Eligibility_Update__e';
    const subscriber = subscribe({ [channel]: -1 });
    await subscriber.isLive();
    const connection = new jsforce.Connection({
      version: '67.0',
      instanceUrl: sandbox.url,
      accessToken: sandbox.issueToken(),
    });
    const account = sandbox.org.records('Account')[0] as { Id: string };
    await connection.sobject('Account_Eligibility_Update__e').create({ Account_Id__c: account.Id });
    const event = await eventually(() => subscriber.received[0], { what: 'the event has come' });
    expect(event.payload['Account_Id__c']).toBe(account.Id);
  });

  it('loses an event without a trace when told to', async () => {
    const subscriber = subscribe({ [ORDERS]: -1 });
    await subscriber.isLive();
    sandbox.fault({ fault: 'drop-events', count: 1 });
    sandbox.org.update('Order', someOrder(4).Id, { Description: 'lost' });
    sandbox.org.update('Order', someOrder(4).Id, { Description: 'told' });
    await eventually(() => subscriber.received.length > 0, { what: 'an event has come' });
    expect(subscriber.received.map((event) => event.payload['Description'])).toEqual(['told']);
  });

  it('answers a connect without events when its time is up', async () => {
    const subscriber = subscribe({ [ORDERS]: -1 });
    await subscriber.isLive();
    await eventually(() => subscriber.connects >= 3, { what: 'two held connects ran out' });
    expect(subscriber.failures).toEqual([]);
  });

  it('wants its cookie back, and refuses a socket', async () => {
    const url = `${sandbox.url}/cometd/67.0`;
    const headers = { authorization: `OAuth ${sandbox.issueToken()}`, 'content-type': 'application/json' };
    const shake = await fetch(url, {
      method: 'POST',
      headers,
      body: JSON.stringify([{ channel: '/meta/handshake', id: '1' }]),
    });
    const [{ clientId }] = (await shake.json()) as [{ clientId: string }];
    expect(shake.headers.get('set-cookie')).toContain('BAYEUX_BROWSER=');
    const connect = await fetch(url, {
      method: 'POST',
      headers,
      body: JSON.stringify({ channel: '/meta/connect', clientId, id: '2' }),
    });
    expect(((await connect.json()) as [{ error: string }])[0].error).toContain('no BAYEUX_BROWSER cookie present');
    expect((await fetch(url)).status).toBe(400);
  });
});
