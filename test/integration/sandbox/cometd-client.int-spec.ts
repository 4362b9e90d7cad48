import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CometD } from 'cometd';
import { adapt } from 'cometd-nodejs-client';
import { startSandbox, type Sandbox } from '../../../apps/sandbox/src/sandbox.js';
import { eventually } from '../../support/eventually.js';

const ORDERS = '/data/OrderChangeEvent';

interface Message {
  readonly successful?: boolean;
  readonly error?: string;
  readonly subscription?: string;
  readonly data?: any;
}

/** `cometd` is the reference client of the Bayeux protocol; it is used unchanged. */
describe('the sandbox as cometd sees it', () => {
  let sandbox: Sandbox;
  let client: any;

  beforeAll(async () => {
    adapt();
    sandbox = await startSandbox({ port: 0, latencyMs: 0, connectTimeoutMs: 500 });
    client = newClient();
    const answer = await new Promise<Message>((resolve) => client.handshake(resolve));
    expect(answer).toMatchObject({ successful: true });
  });
  afterAll(async () => {
    await new Promise((resolve) => client.disconnect(resolve));
    await sandbox.close();
  });

  const newClient = (): any => {
    const other = new CometD();
    other.unregisterTransport('websocket');
    other.configure({
      url: `${sandbox.url}/cometd/67.0`,
      requestHeaders: { Authorization: `Bearer ${sandbox.issueToken()}` },
      appendMessageTypeToURL: false,
    });
    return other;
  };
  const subscribe = (channel: string, replay: number, receive: (message: Message) => void): Promise<Message> =>
    new Promise((resolve) => client.subscribe(channel, receive, { ext: { replay: { [channel]: replay } } }, resolve));

  it('subscribes, and gets changes while it is connected', async () => {
    const received: Message[] = [];
    expect(await subscribe(ORDERS, -1, (message) => received.push(message))).toMatchObject({ successful: true });
    const [{ Id }] = sandbox.org.records('Order') as [{ Id: string }];
    sandbox.org.update('Order', Id, { Description: 'first' });
    await eventually(() => received.length === 1, { what: 'the event has come' });
    sandbox.org.update('Order', Id, { Description: 'second' });
    await eventually(() => received.length === 2, { what: 'the next has come' });
    expect(received[1]?.data).toMatchObject({
      schema: expect.stringMatching(/^[\w-]{22}$/),
      event: { replayId: sandbox.events.tip },
      payload: { Description: 'second', ChangeEventHeader: { recordIds: [Id], changeType: 'UPDATE' } },
    });
  });

  it('says which subscription was refused, and why', async () => {
    const refused = await subscribe('/data/NoSuchObjectChangeEvent', -1, () => {});
    expect(refused).toMatchObject({ successful: false, error: expect.stringContaining('400::The channel') });
    const expired = await subscribe('/data/Product2ChangeEvent', 82, () => {});
    expect(expired).toMatchObject({ successful: false, error: expect.stringContaining('The replayId {82}') });
  });

  it('[D7] knows two clients of one process, who share its cookies, both by the name of the first', async () => {
    const received: Message[] = [];
    expect(await subscribe('/data/AccountChangeEvent', -1, (message) => received.push(message))).toMatchObject({
      successful: true,
    });
    const second = newClient();
    const failures: Message[] = [];
    for (const each of [client, second])
      each.addListener('/meta/unsuccessful', (message: Message) => failures.push(message));
    expect(await new Promise<Message>((resolve) => second.handshake(resolve))).toMatchObject({ successful: true });
    const handshakes: Message[] = [];
    for (const each of [client, second])
      each.addListener('/meta/handshake', (message: Message) => handshakes.push(message));
    const [{ Id }] = sandbox.org.records('Account') as [{ Id: string }];
    sandbox.org.update('Account', Id, { Description: 'heard by the first' });
    await eventually(() => received.length === 1, { what: 'the first client has heard' });
    sandbox.org.update('Account', Id, { Description: 'heard by the first again' });
    await eventually(() => received.length === 2, { what: 'the first client has heard again' });
    expect(sandbox.listening.cometdSessions).toBe(2);
    expect(failures).toEqual([]);
    expect(handshakes).toEqual([]);
    await new Promise((resolve) => second.disconnect(resolve));
  });

  it('[D7] gives a name of its own to a client that sends none, or one that it cannot have given', async () => {
    const shake = async (cookie: string) => {
      const response = await fetch(`${sandbox.url}/cometd/67.0`, {
        method: 'POST',
        headers: { authorization: `Bearer ${sandbox.issueToken()}`, 'content-type': 'application/json', cookie },
        body: JSON.stringify([
          { channel: '/meta/handshake', version: '1.0', supportedConnectionTypes: ['long-polling'] },
        ]),
      });
      return response.headers.getSetCookie().find((set) => set.startsWith('BAYEUX_BROWSER='));
    };
    expect(await shake('')).toMatch(/^BAYEUX_BROWSER=[0-9a-f]{16};/);
    expect(await shake('BAYEUX_BROWSER=a1b2c3')).toBeUndefined();
    expect(await shake('BAYEUX_BROWSER=a b<c>')).toMatch(/^BAYEUX_BROWSER=[0-9a-f]{16};/);
    sandbox.fault({ fault: 'kill-sessions' });
  });
});
