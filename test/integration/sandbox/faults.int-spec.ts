import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { startSandbox, type Sandbox } from '../../../apps/sandbox/src/sandbox.js';
import { BayeuxPeer } from './bayeux-peer.js';
import { eventually } from '../../support/eventually.js';
import { PubSubPeer, type PeerStream } from './pubsub-peer.js';

const ORDERS = '/data/OrderChangeEvent';
const ALL = '/data/ChangeEvents';

interface FaultList {
  readonly faults: { readonly fault: string; readonly does: string; readonly example: object }[];
  readonly inForce: Record<string, unknown>;
}

describe('faults, as they are ordered by HTTP', () => {
  let sandbox: Sandbox;
  let peer: PubSubPeer;

  beforeAll(async () => {
    sandbox = await startSandbox({ port: 0, latencyMs: 0, connectTimeoutMs: 400 });
    peer = new PubSubPeer(sandbox);
  });
  afterEach(async () => {
    await fetch(`${sandbox.url}/sandbox/faults`, { method: 'DELETE' });
    peer.cancelStreams();
    await eventually(() => sandbox.listening.pubSubStreams === 0, { what: 'the streams are gone' });
  });
  afterAll(async () => {
    peer.close();
    await sandbox.close();
  });

  const order = async (fault: object): Promise<{ status: number; body: any }> => {
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify(fault);
    const response = await fetch(`${sandbox.url}/sandbox/faults`, { method: 'POST', headers, body });
    return { status: response.status, body: await response.json() };
  };
  const list = async () => (await (await fetch(`${sandbox.url}/sandbox/faults`)).json()) as FaultList;
  const rest = (path: string, token = sandbox.issueToken()) =>
    fetch(`${sandbox.url}/services/data/v67.0${path}`, { headers: { authorization: `Bearer ${token}` } });
  const change = (index = 0, fields: object = { Description: `now ${Math.random()}` }): string => {
    const { Id } = sandbox.org.records('Order')[index] as { Id: string };
    sandbox.org.update('Order', Id, { ...fields });
    return Id;
  };
  const stream = async (topic = ORDERS): Promise<PeerStream> => {
    const opened = peer.subscribe(topic);
    const before = sandbox.listening.pubSubStreams;
    await eventually(() => sandbox.listening.pubSubStreams > before, { what: 'it listens' });
    return opened;
  };
  const headersOn = async (opened: PeerStream, count: number) => {
    await eventually(() => opened.events.length >= count, { what: `${count} events have come` });
    return peer.headersOf(opened);
  };

  it('are listed with what they do, and each takes its own example', async () => {
    const { faults, inForce } = await list();
    expect(inForce).toEqual({});
    for (const { fault, does, example } of faults) {
      expect(does.length).toBeGreaterThan(20);
      const { status, body } = await order(example);
      // Some examples name records that do not exist.
      expect({ fault, status, ...(status !== 200 && { code: body[0]?.errorCode }) }).toEqual(
        ['undelete', 'hard-delete'].includes(fault) ? expect.anything() : { fault, status: 200 },
      );
    }
    await fetch(`${sandbox.url}/sandbox/faults`, { method: 'DELETE' });
    expect((await list()).inForce).toEqual({});
  });

  it.each([
    [{}, 'field "fault"'],
    [[], 'field "fault"'],
    [{ fault: 'meteor' }, 'there is no fault "meteor", only refuse, '],
    [{ fault: 'toString' }, 'there is no fault'],
    [{ fault: 'refuse', target: 'rest' }, 'count: '],
    [{ fault: 'refuse', target: 'moon', count: 1 }, 'target: '],
    [
      { fault: 'refuse', target: 'rest', error: 'auth-error', count: 1 },
      'rest cannot answer with "auth-error", only with unavailable',
    ],
    [{ fault: 'kill-sessions', count: 1 }, 'Unrecognized key'],
    [{ fault: 'advance-clock' }, 'give either ms or to'],
    [{ fault: 'advance-clock', ms: -5 }, 'ms: '],
    [{ fault: 'gap', entityName: 'Order', changeType: 'GAP_UPDATE', recordIds: ['x'] }, 'must be a record id'],
  ])('are refused with what would be right: %j', async (body, problem) => {
    const answer = await order(body);
    expect(answer.status).toBe(400);
    expect(JSON.stringify(answer.body.problems).replace(/\\"/g, '"')).toContain(problem);
  });

  it('of an object that is not there are refused', async () => {
    for (const fault of ['gap', 'burst', 'select-object']) {
      const more = { gap: { changeType: 'GAP_UPDATE' }, burst: { count: 1 }, 'select-object': { isSelected: true } }[
        fault
      ];
      const answer = await order({ fault, entityName: 'Nothing__c', ...more });
      expect([answer.status, answer.body[0].errorCode]).toEqual([404, 'NOT_FOUND']);
    }
  });

  describe('of single calls', () => {
    it.each([
      ['unavailable', 503, 'SERVER_UNAVAILABLE'],
      ['invalid-session', 401, 'INVALID_SESSION_ID'],
      ['request-limit', 403, 'REQUEST_LIMIT_EXCEEDED'],
    ])('refuse REST as %s, as often as ordered', async (error, status, errorCode) => {
      await order({ fault: 'refuse', target: 'rest', error, count: 2 });
      expect((await list()).inForce).toEqual({ refuse: { rest: { error, left: 2 } } });
      for (let i = 0; i < 2; i++) {
        const refused = await rest('/limits');
        expect([refused.status, ((await refused.json()) as { errorCode: string }[])[0]?.errorCode]).toEqual([
          status,
          errorCode,
        ]);
      }
      expect((await rest('/limits')).status).toBe(200);
    });

    it('cut a connection without an answer', async () => {
      for (const target of ['rest', 'oauth', 'cometd', 'whmcs']) {
        await order({ fault: 'refuse', target, error: 'connection-dropped', count: 1 });
      }
      await expect(rest('/limits')).rejects.toThrow('fetch failed');
      await expect(fetch(`${sandbox.url}/services/oauth2/token`, { method: 'POST' })).rejects.toThrow('fetch failed');
      await expect(new BayeuxPeer(sandbox).shakeHands()).rejects.toThrow('fetch failed');
      await expect(fetch(`${sandbox.url}/whmcs/includes/api.php`, { method: 'POST' })).rejects.toThrow('fetch failed');
    });

    it('refuse sign-ins, connects and gRPC calls', async () => {
      await order({ fault: 'refuse', target: 'oauth', error: 'invalid-client', count: 1 });
      const denied = await fetch(`${sandbox.url}/services/oauth2/token`, { method: 'POST' });
      expect([denied.status, ((await denied.json()) as { error: string }).error]).toEqual([400, 'invalid_client']);
      await order({ fault: 'refuse', target: 'cometd', count: 1 });
      await expect(new BayeuxPeer(sandbox).shakeHands()).rejects.toThrow('503');
      await order({ fault: 'refuse', target: 'pubsub', error: 'client-limit', count: 2 });
      const limit = { errorCode: 'concurrent.client.limit.exceeded' };
      await expect(peer.call('GetTopic', { topicName: ORDERS })).rejects.toMatchObject(limit);
      const refused = peer.subscribe(ORDERS);
      expect(await eventually(() => refused.error, { what: 'it is refused' })).toMatchObject(limit);
      await expect(peer.call('GetTopic', { topicName: ORDERS })).resolves.toMatchObject({ canSubscribe: true });
    });

    it('make each part slow on its own', async () => {
      for (const target of ['rest', 'oauth', 'cometd', 'pubsub']) {
        await order({ fault: 'latency', target, ms: 150 });
        const calls: Record<string, () => Promise<unknown>> = {
          rest: () => rest('/limits'),
          oauth: () => fetch(`${sandbox.url}/services/oauth2/token`, { method: 'POST' }),
          cometd: () => new BayeuxPeer(sandbox).shakeHands(),
          pubsub: () => peer.call('GetTopic', { topicName: ORDERS }),
        };
        const start = performance.now();
        await calls[target]?.();
        expect(performance.now() - start).toBeGreaterThanOrEqual(145);
      }
      expect((await list()).inForce).toEqual({ latency: { rest: 150, oauth: 150, cometd: 150, pubsub: 150 } });
    });

    it('end all tokens, and leave open gRPC streams open', async () => {
      const opened = await stream();
      const token = sandbox.issueToken();
      await order({ fault: 'revoke-tokens' });
      expect((await rest('/limits', token)).status).toBe(401);
      change();
      await headersOn(opened, 1);
      expect(opened.error).toBeUndefined();
    });
  });

  describe('of the streams', () => {
    it.each([
      ['unavailable', 14, 'service.unavailable'],
      ['auth-error', 16, 'service.auth.error'],
      ['limit-exceeded', 8, 'subscription.limit.exceeded'],
      ['replay-id-corrupted', 3, 'subscription.fetch.replayid.corrupted'],
      ['fetch-overflow', 8, 'subscription.fetch.overflow'],
      ['internal-error', 13, 'subscription.internal.error'],
      ['topic-unavailable', 14, 'topic.api.unavailable'],
      ['service-protection', 8, 'service.protection.triggered'],
    ])('end a Pub/Sub stream with %s', async (error, code, errorCode) => {
      const [orders, all] = [await stream(), await stream(ALL)];
      expect((await order({ fault: 'end-streams', error, topic: ORDERS })).body).toMatchObject({ streams: 1 });
      expect(await eventually(() => orders.error, { what: 'it has ended' })).toMatchObject({ code, errorCode });
      expect(all.error).toBeUndefined();
    });

    it('end a Pub/Sub stream without an error', async () => {
      const opened = await stream();
      await order({ fault: 'end-streams' });
      await eventually(() => opened.hasEnded, { what: 'it has ended' });
      expect(opened.error).toBeUndefined();
    });

    it('cut the connections of both transports', async () => {
      const opened = await stream();
      expect((await order({ fault: 'drop-connections', transport: 'pubsub' })).body.connections).toBeGreaterThan(0);
      expect(await eventually(() => opened.error, { what: 'it is cut' })).toMatchObject({ code: 14 });
      await expect(peer.call('GetTopic', { topicName: ORDERS })).resolves.toBeDefined();
      const cometd = await BayeuxPeer.on(sandbox, ORDERS);
      const held = expect(cometd.connect()).rejects.toThrow('fetch failed');
      await eventually(
        async () => (await order({ fault: 'drop-connections', transport: 'cometd' })).body.connections === 1,
        { what: 'the connect is held and cut' },
      );
      await held;
      expect((await cometd.connect()).at(-1)).toMatchObject({ successful: true });
    });

    it('silence Pub/Sub: no event and no keep-alive until it is over, and then everything', async () => {
      await order({ fault: 'timing', keepaliveMs: 30 });
      const opened = await stream();
      await eventually(() => opened.responses.length > 0, { what: 'it is alive' });
      await order({ fault: 'silence', transport: 'pubsub', isOn: true });
      const before = opened.responses.length;
      change();
      await new Promise((resolve) => setTimeout(resolve, 150));
      expect(opened.responses.length).toBe(before);
      await order({ fault: 'silence', transport: 'pubsub', isOn: false });
      await headersOn(opened, 1);
    });

    it('silence CometD: connects are held beyond their time', async () => {
      const cometd = await BayeuxPeer.on(sandbox, ORDERS);
      await order({ fault: 'silence', transport: 'cometd', isOn: true });
      change();
      const held = cometd.connect();
      const first = await Promise.race([held, new Promise((resolve) => setTimeout(resolve, 700, 'nothing'))]);
      expect(first).toBe('nothing');
      await order({ fault: 'silence', transport: 'cometd', isOn: false });
      expect((await held).map(({ channel }) => channel)).toEqual([ORDERS, '/meta/connect']);
    });

    it("use up the day's deliveries of both", async () => {
      const [opened, cometd] = [await stream(), await BayeuxPeer.on(sandbox, ORDERS)];
      const held = cometd.connect();
      await new Promise((resolve) => setTimeout(resolve, 50));
      await order({ fault: 'event-limit', isExceeded: true });
      expect(await eventually(() => opened.error, { what: 'it has ended' })).toMatchObject({
        code: 8,
        errorCode: 'subscription.limit.exceeded',
        details: expect.stringContaining('You have exceeded the event delivery limit for your org.'),
      });
      const refusal = { error: '403::Organization total events daily limit exceeded', advice: { reconnect: 'none' } };
      expect((await held).at(-1)).toMatchObject(refusal);
      expect((await cometd.connect()).at(-1)).toMatchObject(refusal);
    });
  });

  describe('of the events', () => {
    it('lose the next ones of one object only', async () => {
      const opened = await stream(ALL);
      await order({ fault: 'drop-events', count: 1, entityName: 'Account' });
      sandbox.org.create('Account', { Name: 'lost' });
      change();
      sandbox.org.create('Account', { Name: 'told' });
      const headers = await headersOn(opened, 2);
      expect(headers.map(({ entityName }) => entityName)).toEqual(['Order', 'Account']);
    });

    it('deliver the next one twice to both, with one replay id', async () => {
      const [opened, cometd] = [await stream(), await BayeuxPeer.on(sandbox, ORDERS)];
      await order({ fault: 'repeat-events', count: 1 });
      change();
      change();
      await headersOn(opened, 3);
      const [first, again, other] = opened.replayIds;
      expect([first === again, again === other]).toEqual([true, false]);
      const ids = (await cometd.connect()).flatMap(({ data }) => data?.event.replayId ?? []);
      expect(ids.length).toBe(3);
      expect(ids[0]).toBe(ids[1]);
    });

    it('make an event unreadable on both transports, with a replay id to go on after', async () => {
      const [opened, cometd] = [await stream(), await BayeuxPeer.on(sandbox, ORDERS)];
      await order({ fault: 'corrupt-events', count: 1 });
      change();
      change();
      await eventually(() => opened.events.length === 2, { what: 'both have come' });
      await expect(peer.decode(opened.events[0]!)).rejects.toThrow();
      await expect(peer.decode(opened.events[1]!)).resolves.toMatchObject({
        ChangeEventHeader: { entityName: 'Order' },
      });
      const [first, second] = (await cometd.connect()).map(({ data }) => data);
      expect([first?.payload, first?.event.replayId]).toEqual([{}, Number(`0x${opened.replayIds[0] ?? ''}`)]);
      expect(second?.payload).toHaveProperty('ChangeEventHeader');
    });

    it('bring an event late', async () => {
      const opened = await stream();
      await order({ fault: 'delay-events', ms: 200 });
      const start = performance.now();
      change();
      await headersOn(opened, 1);
      expect(performance.now() - start).toBeGreaterThanOrEqual(195);
    });

    it.each([
      ['GAP_CREATE', undefined, (ids: string[]) => ids],
      ['GAP_UPDATE', undefined, (ids: string[]) => ids],
      ['GAP_DELETE', undefined, (ids: string[]) => ids],
      ['GAP_UNDELETE', undefined, (ids: string[]) => ids],
      ['GAP_OVERFLOW', [], () => ['000000000000000AAA']],
      ['UPDATE', ['801*'], () => ['801*']],
      ['SNAPSHOT', undefined, (ids: string[]) => ids],
    ])('are %s, on both transports', async (changeType, given, expected) => {
      const ids = sandbox.org
        .records('Order')
        .slice(0, 2)
        .map(({ Id }) => Id);
      const [opened, cometd] = [await stream(), await BayeuxPeer.on(sandbox, ORDERS)];
      await order({ fault: 'gap', entityName: 'Order', changeType, recordIds: given ?? ids });
      const recordIds = expected(ids);
      expect(await headersOn(opened, 1)).toMatchObject([{ changeType, recordIds, changedFields: [] }]);
      const { Id: _id, ChangeEventHeader, ...fields } = await peer.decode(opened.events[0]!);
      expect(ChangeEventHeader).toBeDefined();
      expect(Object.values(fields).every((value) => value === null)).toBe(true);
      const [message] = await cometd.connect();
      expect(message?.data?.payload).toEqual({ ChangeEventHeader: expect.objectContaining({ changeType, recordIds }) });
    });

    it('expire with time, which can be set too', async () => {
      const to = new Date(Date.parse((await order({ fault: 'advance-clock', ms: 0 })).body.now) + 80 * 3_600_000);
      change();
      const replayId = sandbox.events.tip;
      const { body } = await order({ fault: 'advance-clock', to: to.toISOString() });
      expect(Math.abs(Date.parse(body.now) - to.getTime())).toBeLessThan(1_000);
      const late = await (async () => {
        const cometd = new BayeuxPeer(sandbox);
        await cometd.shakeHands();
        return cometd.subscribe(ORDERS, replayId);
      })();
      expect(late[0]).toMatchObject({ successful: false, error: expect.stringContaining('400::The replayId') });
    });
  });

  describe('of the org', () => {
    it('change many records, one after the other or together', async () => {
      const opened = await stream();
      await order({ fault: 'burst', entityName: 'Order', count: 30 });
      await headersOn(opened, 30);
      await order({ fault: 'burst', entityName: 'Order', count: 40, recordsPerTransaction: 40 });
      const headers = (await headersOn(opened, 70)).slice(30);
      expect(new Set(headers.map(({ transactionKey }) => transactionKey)).size).toBe(1);
    });

    it('take permissions: the object’s own channel refuses, the common one is silent, and describe says so', async () => {
      const opened = await stream(ALL);
      await order({ fault: 'permission', entityName: 'Order', canViewAll: false });
      const refused = peer.subscribe(ORDERS);
      expect(await eventually(() => refused.error, { what: 'it is refused' })).toMatchObject({ code: 7 });
      await expect(peer.call('GetTopic', { topicName: ORDERS })).resolves.toMatchObject({ canSubscribe: false });
      await expect(BayeuxPeer.on(sandbox, ORDERS)).rejects.toThrow('403::User not allowed to subscribe CDC');
      change();
      sandbox.org.create('Account', { Name: 'seen' });
      expect((await headersOn(opened, 1)).map(({ entityName }) => entityName)).toEqual(['Account']);
      const soql = 'SELECT SobjectType FROM ObjectPermissions WHERE PermissionsViewAllRecords = false';
      const lacking = (await (await rest(`/query?q=${encodeURIComponent(soql)}`)).json()) as {
        records: { SobjectType: string }[];
      };
      expect(lacking.records.map(({ SobjectType }) => SobjectType)).toEqual(['Order']);
      expect((await rest('/sobjects/Order/describe')).status).toBe(200);
      await order({ fault: 'permission', entityName: 'Order', canRead: false, canViewAll: false });
      expect((await rest('/sobjects/Order/describe')).status).toBe(404);
      expect((await rest(`/query?q=${encodeURIComponent('SELECT Id FROM Order')}`)).status).toBe(400);
    });

    it('select another object, whose events a subscriber may not know', async () => {
      await order({ fault: 'select-object', entityName: 'Pricebook2', isSelected: true });
      const opened = await stream(ALL);
      sandbox.org.create('Pricebook2', { Name: 'Special' });
      expect(await headersOn(opened, 1)).toMatchObject([{ entityName: 'Pricebook2', changeType: 'CREATE' }]);
      await order({ fault: 'select-object', entityName: 'Pricebook2', isSelected: false });
    });

    it('delete without an event, and take back out of the recycle bin with one', async () => {
      const opened = await stream('/data/AccountChangeEvent');
      const [silent, loud] = [1, 2].map((n) => sandbox.org.create('Account', { Name: `gone ${n}` })) as [
        string,
        string,
      ];
      await order({ fault: 'hard-delete', entityName: 'Account', recordId: silent });
      sandbox.org.delete('Account', loud);
      await order({ fault: 'undelete', entityName: 'Account', recordId: loud });
      const headers = await headersOn(opened, 4);
      expect(headers.map(({ changeType }) => changeType)).toEqual(['CREATE', 'CREATE', 'DELETE', 'UNDELETE']);
      expect((await rest(`/sobjects/Account/${silent}`)).status).toBe(404);
    });
  });
});
