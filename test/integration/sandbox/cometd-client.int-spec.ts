import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CometD } from 'cometd';
import { adapt } from 'cometd-nodejs-client';
import { startSandbox, type Sandbox } from '../../../apps/sandbox/src/sandbox.js';
import { eventually } from './eventually.js';

const ORDERS = '/data/OrderChangeEvent';

interface Message {
  readonly successful?: boolean;
  readonly error?: string;
  readonly subscription?: string;
  readonly data?: any;
}

/** The reference client of the Bayeux protocol, unchanged. */
describe('the sandbox as cometd sees it', () => {
  let sandbox: Sandbox;
  let client: any;

  beforeAll(async () => {
    adapt();
    sandbox = await startSandbox({ port: 0, latencyMs: 0, connectTimeoutMs: 500 });
    client = new CometD();
    client.unregisterTransport('websocket');
    client.configure({
      url: `${sandbox.url}/cometd/67.0`,
      requestHeaders: { Authorization: `Bearer ${sandbox.issueToken()}` },
      appendMessageTypeToURL: false,
    });
    const answer = await new Promise<Message>((resolve) => client.handshake(resolve));
    expect(answer).toMatchObject({ successful: true });
  });
  afterAll(async () => {
    await new Promise((resolve) => client.disconnect(resolve));
    await sandbox.close();
  });

  const subscribe = (channel: string, replay: number, receive: (message: Message) => void): Promise<Message> =>
    new Promise((resolve) => client.subscribe(channel, receive, { ext: { replay: { [channel]: replay } } }, resolve));

  it('subscribes, and gets changes while it is connected', async () => {
    const received: Message[] = [];
    expect(await subscribe(ORDERS, -1, (message) => received.push(message))).toMatchObject({ successful: true });
    const [{ Id }] = sandbox.org.records('Order') as [{ Id: string }];
    sandbox.org.update('Order', Id, { Description: 'first' });
    await eventually('the event has come', () => received.length === 1);
    sandbox.org.update('Order', Id, { Description: 'second' });
    await eventually('the next has come', () => received.length === 2);
    expect(received[1]?.data).toMatchObject({
      schema: expect.stringMatching(/^[\w-]{22}$/),
      event: { replayId: sandbox.events.tip },
      payload: { Description: 'second', ChangeEventHeader: { recordIds: [Id], changeType: 'UPDATE' } },
    });
  });

  it('is told which subscription was refused, and why', async () => {
    const refused = await subscribe('/data/ProductCatalogChangeEvent', -1, () => {});
    expect(refused).toMatchObject({ successful: false, error: expect.stringContaining('400::The channel') });
    const expired = await subscribe('/data/Product2ChangeEvent', 82, () => {});
    expect(expired).toMatchObject({ successful: false, error: expect.stringContaining('The replayId {82}') });
  });
});
