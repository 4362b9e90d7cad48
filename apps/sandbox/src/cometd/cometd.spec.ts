import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { EMPTY_BODY } from '../events/change-body.js';
import { Channels } from '../events/channels.js';
import { EventAllocation } from '../events/event-allocation.js';
import { EventLog } from '../events/event-log.js';
import { channelOf, eventSchema } from '../events/event-schema.js';
import { Sessions } from '../oauth/sessions.js';
import { Org } from '../org/org.js';
import { REAL_TIMING } from '../timing.js';
import type { BayeuxMessage, BayeuxReply } from './bayeux.js';
import { Cometd, type CometdAnswer } from './cometd.js';

const ORDERS = '/data/OrderChangeEvent';

describe('CometD sessions', () => {
  let cometd: Cometd;
  let org: Org;
  let log: EventLog;
  let allocation: EventAllocation;
  let token: string;
  let cookies: string;
  let clientId: string;

  beforeEach(() => {
    jest.useFakeTimers();
    org = new Org();
    log = new EventLog(org.clock);
    allocation = new EventAllocation(1_000_000);
    const channels = new Channels(org, () => true);
    const sessions = new Sessions('00D5g0000000001EAA', 7_200);
    token = sessions.issue();
    cometd = new Cometd({ channels, log, tokens: sessions, allocation, timing: { ...REAL_TIMING } });
    ({ clientId, cookies } = shakeHands());
  });
  afterEach(() => {
    cometd.close();
    jest.useRealTimers();
  });

  function shakeHands(): { clientId: string; cookies: string } {
    const answer = cometd.receive([{ channel: '/meta/handshake', id: '1' }], { token, cookies: '' });
    if (answer.kind !== 'now' || answer.cookie === undefined) throw new Error('the handshake was refused');
    return { clientId: answer.messages[0]?.['clientId'] as string, cookies: `BAYEUX_BROWSER=${answer.cookie}` };
  }
  const send = (...messages: BayeuxMessage[]): CometdAnswer =>
    cometd.receive(
      messages.map((message) => ({ clientId, ...message })),
      { token, cookies },
    );
  const now = (answer: CometdAnswer): readonly BayeuxReply[] => {
    if (answer.kind === 'held') throw new Error('the connect is held');
    return answer.messages;
  };
  const connect = (): CometdAnswer => send({ channel: '/meta/connect', id: 'c' });
  const subscribe = (subscription: string, replay: unknown = -1): BayeuxReply | undefined =>
    now(send({ channel: '/meta/subscribe', subscription, ext: { replay: { [subscription]: replay } } }))[0];
  const publish = (name = 'Order'): number => {
    const object = org.existingObject(name);
    const isEvent = object.traits.isEvent === true;
    const header = {
      entityName: name,
      recordIds: [],
      changeType: 'UPDATE' as const,
      changeOrigin: '',
      transactionKey: 'key',
      sequenceNumber: 1,
      commitTimestamp: 0,
      commitNumber: 1n,
      commitUser: '',
    };
    const content = isEvent
      ? { kind: 'platform' as const, id: 'id', fields: {} }
      : { kind: 'change' as const, header, ...EMPTY_BODY };
    return log.publish({ channel: channelOf(object), schema: eventSchema(object), content, copies: 1 }).replayId;
  };
  const replayIds = (messages: readonly BayeuxReply[]): unknown[] =>
    messages.flatMap(
      (message) => (message['data'] as { event: { replayId: number } } | undefined)?.event.replayId ?? [],
    );

  it('answer the first connect at once with their times, and hold the next', async () => {
    expect(now(connect())).toMatchObject([{ successful: true, advice: { reconnect: 'retry', timeout: 110_000 } }]);
    const held = connect();
    if (held.kind !== 'held') throw new Error('not held');
    await jest.advanceTimersByTimeAsync(110_000);
    expect(await held.messages).toEqual([expect.objectContaining({ channel: '/meta/connect', successful: true })]);
  });

  it('end when the client does not come back within 40 seconds, but never while a connect is held', async () => {
    connect();
    const held = connect();
    await jest.advanceTimersByTimeAsync(60_000);
    expect(cometd.sessionCount).toBe(1);
    if (held.kind === 'held') held.abandon();
    await jest.advanceTimersByTimeAsync(42_000);
    expect(cometd.sessionCount).toBe(0);
    expect(now(connect())).toMatchObject([{ error: '403::Unknown client', advice: { reconnect: 'handshake' } }]);
  });

  it('put events before the connect’s own answer', async () => {
    subscribe(ORDERS);
    connect();
    const held = connect();
    if (held.kind !== 'held') throw new Error('not held');
    const replayId = publish();
    const messages = (await held.messages) ?? [];
    expect(messages.map((message) => message['channel'])).toEqual([ORDERS, '/meta/connect']);
    expect(messages[0]).not.toHaveProperty('clientId');
    expect(replayIds(messages)).toEqual([replayId]);
  });

  it('take no event for a connect whose client has gone', () => {
    subscribe(ORDERS);
    connect();
    const gone = connect();
    if (gone.kind === 'held') gone.abandon();
    const replayId = publish();
    expect(replayIds(now(connect()))).toEqual([replayId]);
  });

  it('deliver a long backlog in bounded answers, each event once and in order', () => {
    const published = Array.from({ length: 2_500 }, () => publish());
    subscribe(ORDERS, -2);
    const answers = [now(connect()), now(connect()), now(connect())].map(replayIds);
    expect(answers.map((ids) => ids.length)).toEqual([1_000, 1_000, 500]);
    expect(answers.flat()).toEqual(published);
    expect(connect().kind).toBe('held');
  });

  it('deliver to the channel of all changes everything under /data, and only that', () => {
    subscribe('/data/ChangeEvents');
    publish();
    publish('Account_Eligibility_Update__e');
    publish('Product2');
    const events = now(connect()).filter((message) => message['data'] !== undefined);
    expect(events.map((event) => event['channel'])).toEqual(['/data/ChangeEvents', '/data/ChangeEvents']);
  });

  it('start where the replay id says, given as a number or as text', () => {
    const [first, second] = [publish(), publish()];
    subscribe(ORDERS, String(first));
    expect(replayIds(now(connect()))).toEqual([second]);
    for (const wrong of [first - 1, 'abc', 1.5, true, '99']) {
      expect(subscribe(ORDERS, wrong)).toMatchObject({
        successful: false,
        error: expect.stringContaining('400::The replayId {'),
      });
    }
  });

  it('stop delivering after an unsubscribe, and end at a disconnect', async () => {
    subscribe(ORDERS);
    send({ channel: '/meta/unsubscribe', subscription: ORDERS });
    publish();
    expect(replayIds(now(connect()))).toEqual([]);
    const held = connect();
    expect(now(send({ channel: '/meta/disconnect' }))).toMatchObject([{ successful: true }]);
    expect(held.kind === 'held' && (await held.messages)).toMatchObject([
      { successful: true, advice: { reconnect: 'none' } },
    ]);
    expect(cometd.sessionCount).toBe(0);
  });

  it('are not held open beside other messages, and belong to one cookie', () => {
    connect();
    const answer = send({ channel: '/meta/subscribe', subscription: ORDERS }, { channel: '/meta/connect' });
    expect(now(answer).map((message) => message['channel'])).toEqual(['/meta/subscribe', '/meta/connect']);
    cookies = 'BAYEUX_BROWSER=other';
    expect(now(connect())).toMatchObject([{ error: '403::Unknown client' }]);
  });

  it('are bounded in number, and refused deliveries when the day’s are used up', () => {
    while (cometd.sessionCount < 1_000) shakeHands();
    const refused = now(cometd.receive([{ channel: '/meta/handshake' }], { token, cookies: '' }));
    expect(refused).toMatchObject([{ error: '403::Organization concurrent user limit exceeded' }]);
    allocation.isDeclaredExceeded = true;
    expect(now(connect())).toMatchObject([
      { error: '403::Organization total events daily limit exceeded', advice: { reconnect: 'none' } },
    ]);
  });
});
