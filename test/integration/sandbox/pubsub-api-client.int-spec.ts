import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import PubSubApiClient from 'salesforce-pubsub-api-client';
import { startSandbox, type Sandbox } from '../../../apps/sandbox/src/sandbox.js';
import { eventually } from '../../support/eventually.js';

const ORDERS = '/data/OrderChangeEvent';

interface Received {
  readonly type: string;
  readonly data: any;
}

/**
 * Salesforce's community client, used unchanged. It speaks TLS only, its replay ids are numbers, and its longs may be
 * BigInts.
 */
describe('the sandbox as salesforce-pubsub-api-client sees it', () => {
  let sandbox: Sandbox;
  let client: PubSubApiClient;
  const received: Received[] = [];
  const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

  beforeAll(async () => {
    sandbox = await startSandbox({ port: 0, latencyMs: 0 });
  });
  // A client keeps one stream for each topic, so every test has a client of its own.
  beforeEach(async () => {
    client = new PubSubApiClient(
      {
        authType: 'oauth-client-credentials',
        loginUrl: sandbox.url,
        clientId: 'sandbox-client',
        clientSecret: 'sandbox-secret',
        pubSubEndpoint: sandbox.pubSubEndpoint.replace('127.0.0.1', 'localhost'),
        rejectUnauthorizedSsl: false,
      },
      quiet,
    );
    await client.connect();
  });
  afterEach(async () => {
    sandbox.endFaults();
    sandbox.fault({ fault: 'end-streams' }); // the client's `close` leaves its streams open
    await isListening(0);
    client.close();
    received.length = 0;
  });
  afterAll(() => sandbox.close());

  const note = (_subscription: unknown, type: string, data: unknown): void => {
    received.push({ type, data });
  };
  const of = (type: string): Received[] => received.filter((message) => message.type === type);
  const isListening = (streams: number) =>
    eventually(() => sandbox.listening.pubSubStreams === streams, { what: 'the stream is open' });

  it('signs in, subscribes, and reads changed and emptied fields out of the bitmaps', async () => {
    const order = sandbox.org.create('Order', {
      AccountId: sandbox.org.records('Account')[0]?.Id,
      EffectiveDate: '2026-11-20',
      Status: 'Draft',
      Description: 'to be emptied',
      BillingCity: 'Kyoto',
    });
    client.subscribe(ORDERS, note as never, 10);
    await isListening(1);
    sandbox.org.update('Order', order, { Status: 'Activated', Description: null, BillingCity: 'Osaka' });
    const [event] = await eventually(() => (of('event').length > 0 ? of('event') : undefined), {
      what: 'the event has come',
    });
    const { ChangeEventHeader, ...fields } = event?.data.payload ?? {};
    expect(ChangeEventHeader).toMatchObject({ entityName: 'Order', changeType: 'UPDATE', recordIds: [order] });
    expect(new Set(ChangeEventHeader.changedFields)).toEqual(
      new Set(['Status', 'Description', 'LastModifiedDate', 'BillingAddress.City']),
    );
    expect(ChangeEventHeader.nulledFields).toEqual(['Description']);
    expect(fields).toMatchObject({ Status: 'Activated', Description: null, BillingAddress: { City: 'Osaka' } });
    expect(event?.data.replayId).toBe(sandbox.events.tip);
  });

  it('resumes after a replay id', async () => {
    const [{ Id }] = sandbox.org.records('Order') as [{ Id: string }];
    sandbox.org.update('Order', Id, { Description: 'one' });
    const after = sandbox.events.tip;
    sandbox.org.update('Order', Id, { Description: 'two' });
    client.subscribeFromReplayId(ORDERS, note as never, 5, after);
    await eventually(() => of('event').length === 1, { what: 'the event after it has come' });
    expect(of('event')[0]?.data.payload.Description).toBe('two');
  });

  it('says when a replay id has expired', async () => {
    const after = sandbox.events.tip;
    sandbox.fault({ fault: 'advance-clock', ms: 73 * 3_600_000 });
    client.subscribeFromReplayId(ORDERS, note as never, 5, after);
    const error = await eventually(() => of('error')[0], { what: 'it is refused' });
    expect(error.data.code).toBe(3);
    expect(error.data.metadata.get('error-code')).toEqual([
      'sfdc.platform.eventbus.grpc.subscription.fetch.replayid.corrupted',
    ]);
  });

  it('is kept alive, and told of the end of a stream', async () => {
    sandbox.fault({ fault: 'timing', keepaliveMs: 40 });
    client.subscribe(ORDERS, note as never, 5);
    await eventually(() => of('grpcKeepAlive').length > 0, { what: 'a keep-alive has come' });
    sandbox.fault({ fault: 'end-streams', error: 'unavailable' });
    await eventually(() => of('end').length > 0, { what: 'the end was seen' });
    expect(of('error')[0]?.data.code).toBe(14);
  });
});
