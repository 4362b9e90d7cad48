import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { connect as tlsConnect } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { startSandbox, type Sandbox } from '../../../apps/sandbox/src/sandbox.js';
import { eventually } from '../../support/eventually.js';
import { PubSubPeer, type PeerStream } from './pubsub-peer.js';

const ORDERS = '/data/OrderChangeEvent';
const ELIGIBILITY = '/event/Account_Eligibility_Update__e';

describe('the sandbox over the Pub/Sub API', () => {
  let sandbox: Sandbox;
  let peer: PubSubPeer;
  const peers: PubSubPeer[] = [];

  beforeAll(async () => {
    sandbox = await startSandbox({ port: 0, latencyMs: 0 });
    peer = new PubSubPeer(sandbox);
  });
  afterEach(async () => {
    sandbox.endFaults();
    for (const other of peers.splice(0)) other.close();
    peer.cancelStreams();
    await eventually(() => sandbox.listening.pubSubStreams === 0, { what: 'the sandbox has forgotten the streams' });
  });
  afterAll(async () => {
    peer.close();
    await sandbox.close();
  });

  const other = (metadata: Record<string, string>, security?: 'tls'): PubSubPeer => {
    const made = new PubSubPeer(sandbox, metadata, security);
    peers.push(made);
    return made;
  };
  const orders = () => sandbox.org.records('Order');
  let changes = 0;
  const change = (index: number): string => {
    const { Id } = orders()[index] as { Id: string };
    sandbox.org.update('Order', Id, { Description: `change ${++changes}` });
    return Id;
  };
  /** Subscribes. Resolves when the subscription has reached the server, or was refused. */
  const listening = async (topic: string, first: Parameters<PubSubPeer['subscribe']>[1] = {}): Promise<PeerStream> => {
    const before = sandbox.listening.pubSubStreams;
    const stream = peer.subscribe(topic, first);
    await eventually(() => sandbox.listening.pubSubStreams > before || stream.error !== undefined, {
      what: 'the stream is open',
    });
    return stream;
  };

  it('tells of a topic, and gives the schema that it names, by TLS with the certificate checked', async () => {
    const safe = other({}, 'tls');
    const topic = await safe.call<Record<string, unknown>>('GetTopic', { topicName: ORDERS });
    expect(topic).toMatchObject({ topicName: ORDERS, canSubscribe: true, canPublish: false });
    const schema = await safe.call<{ schemaJson: string }>('GetSchema', { schemaId: topic['schemaId'] });
    const { name, namespace, fields } = JSON.parse(schema.schemaJson);
    expect({ name, namespace }).toEqual({ name: 'OrderChangeEvent', namespace: 'com.sforce.eventbus' });
    expect(fields[0].name).toBe('ChangeEventHeader');
  });

  it.each([
    ['a token that is not valid', { accesstoken: '00D!nonsense' }, 'service.auth.error'],
    ['no instance', { instanceurl: '' }, 'service.auth.headers.invalid'],
    ['another org', { tenantid: '00D000000000000AAA' }, 'service.auth.headers.invalid'],
  ])('refuses %s, with the code and the id of the call in the trailers', async (_what, metadata, errorCode) => {
    const refusal = { code: status.UNAUTHENTICATED, errorCode };
    await expect(other(metadata).call('GetTopic', { topicName: ORDERS })).rejects.toMatchObject(refusal);
    const stream = other(metadata).subscribe(ORDERS);
    const error = await eventually(() => stream.error, { what: 'the stream is refused' });
    expect(error).toMatchObject(refusal);
    expect(error.rpcId).toMatch(/^[\da-f-]{36}$/);
    expect(error.details.endsWith(`rpcId: ${error.rpcId}`)).toBe(true);
  });

  // Skipped on a machine that has only a loopback address, because nothing outside can reach it.
  const outside = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ internal, family }) => !internal && family === 'IPv4')?.address;
  (outside === undefined ? it.skip : it)('takes plaintext from this machine only, TLS from everywhere', async () => {
    const open = await startSandbox({ port: 0, latencyMs: 0, host: '0.0.0.0' });
    const port = Number(open.pubSubEndpoint.split(':')[1]);
    const first = (bytes: string): Promise<string> =>
      new Promise((resolve) => {
        const socket = connect(port, outside as string, () => socket.write(Buffer.from(bytes, 'latin1')));
        socket.once('data', (data) => resolve(`${data.length > 0 ? 'answered' : ''}`));
        socket.once('close', () => resolve('cut'));
        setTimeout(() => socket.destroy(), 3_000).unref();
      });
    try {
      expect(await first('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')).toBe('cut');
      const tls = await new Promise((resolve, reject) => {
        const socket = tlsConnect(
          { port, host: outside, ca: open.certificate, servername: 'localhost', ALPNProtocols: ['h2'] },
          () => {
            resolve(socket.alpnProtocol);
            socket.destroy();
          },
        );
        socket.once('error', reject);
      });
      expect(tls).toBe('h2');
    } finally {
      await open.close();
    }
  });

  it('knows an org by its id of 15 characters too', async () => {
    const short = other({ tenantid: sandbox.org.organizationId.slice(0, 15) });
    await expect(short.call('GetTopic', { topicName: ORDERS })).resolves.toMatchObject({ canSubscribe: true });
  });

  it('refuses what does not exist', async () => {
    await expect(peer.call('GetTopic', { topicName: '/data/NoChangeEvent' })).rejects.toMatchObject({
      code: status.NOT_FOUND,
      errorCode: 'topic.not.found',
    });
    await expect(peer.call('GetSchema', { schemaId: 'unknown' })).rejects.toMatchObject({ code: status.NOT_FOUND });
    await expect(peer.call('GetSchema', { schemaId: '' })).rejects.toMatchObject({
      errorCode: 'schema.validation.failed',
    });
    const stream = peer.subscribe('/data/NoChangeEvent');
    expect(await eventually(() => stream.error, { what: 'it is refused' })).toMatchObject({
      errorCode: 'topic.not.found',
    });
  });

  it('delivers a change once it was requested, never more than was requested, and says what is still pending', async () => {
    const stream = await listening(ORDERS, { numRequested: 2 });
    const ids = [0, 1, 2].map(change);
    await eventually(() => stream.events.length === 2, { what: 'two events have come' });
    expect(stream.responses.at(-1)?.pendingNumRequested).toBe(0);
    stream.fetch({ numRequested: 5 });
    await eventually(() => stream.events.length === 3, { what: 'the third has come' });
    expect(stream.responses.at(-1)?.pendingNumRequested).toBe(4);
    const headers = await peer.headersOf(stream);
    expect(headers.map(({ recordIds }) => recordIds[0])).toEqual(ids);
    expect(headers[0]).toMatchObject({ entityName: 'Order', changeType: 'UPDATE', nulledFields: [] });
    expect(headers[0]?.['commitNumber']).toBeGreaterThan(2n ** 53n);
    for (const { latestReplayId, events } of stream.responses) {
      expect(latestReplayId).toHaveLength(8);
      expect(latestReplayId).toEqual(events.at(-1)?.replayId);
    }
  });

  it('counts more than a hundred requested as a hundred', async () => {
    const stream = await listening(ORDERS, { numRequested: 150 });
    sandbox.fault({ fault: 'burst', entityName: 'Order', count: 130 });
    await eventually(() => stream.responses.at(-1)?.pendingNumRequested === 0, { what: 'the stream is empty' });
    expect(stream.events).toHaveLength(100);
    const ids = stream.replayIds.map((id) => BigInt(`0x${id}`));
    expect(new Set(ids.slice(1).map((id, i) => id - (ids[i] as bigint))).size).toBeGreaterThan(1);
  });

  it('sends what one transaction brought in one response', async () => {
    const stream = await listening('/data/ChangeEvents');
    sandbox.org.transaction((transaction) => {
      const account = transaction.create('Account', { Name: 'Batch Ltd' });
      transaction.create('Order', { AccountId: account, EffectiveDate: '2026-11-20', Status: 'Draft' });
    });
    await eventually(() => stream.events.length === 2, { what: 'both have come' });
    expect(stream.responses.map(({ events }) => events.length)).toEqual([2]);
    const [first, second] = await peer.headersOf(stream);
    expect([first?.['sequenceNumber'], second?.['sequenceNumber']]).toEqual([1, 2]);
    expect(first?.['transactionKey']).toBe(second?.['transactionKey']);
  });

  it('starts at the beginning, or after a replay id that is still kept', async () => {
    change(3);
    const all = await listening(ORDERS, { replayPreset: 'EARLIEST', numRequested: 100 });
    await eventually(() => all.events.length >= 2, { what: 'the past has come' });
    const [first] = all.events;
    const later = await listening(ORDERS, { replayPreset: 'CUSTOM', replayId: first?.replayId as Buffer });
    await eventually(() => later.events.length >= 1, { what: 'what came after has come' });
    expect(later.replayIds[0]).toBe(all.replayIds[1]);
  });

  it.each([
    ['no replay id', undefined, 'subscription.fetch.replayid.validation.failed'],
    ['a replay id of another length', Buffer.from('nine bytes'), 'subscription.fetch.replayid.corrupted'],
    ['a replay id that nobody was given', Buffer.alloc(8, 1), 'subscription.fetch.replayid.corrupted'],
  ])('refuses CUSTOM with %s', async (_what, replayId, errorCode) => {
    const stream = peer.subscribe(ORDERS, { replayPreset: 'CUSTOM', ...(replayId && { replayId }) });
    const error = await eventually(() => stream.error, { what: 'it is refused' });
    expect(error).toMatchObject({ code: status.INVALID_ARGUMENT, errorCode });
  });

  it('refuses a replay id whose event has expired, and every one after the org has moved', async () => {
    const stream = await listening(ORDERS);
    change(4);
    await eventually(() => stream.events.length === 1, { what: 'the event has come' });
    const replayId = stream.events[0]?.replayId as Buffer;
    sandbox.fault({ fault: 'advance-clock', ms: 73 * 3_600_000 });
    const expired = peer.subscribe(ORDERS, { replayPreset: 'CUSTOM', replayId });
    const corrupted = { errorCode: 'subscription.fetch.replayid.corrupted' };
    expect(await eventually(() => expired.error, { what: 'it is refused' })).toMatchObject(corrupted);

    change(4);
    await eventually(() => stream.events.length === 2, { what: 'the next event has come' });
    sandbox.fault({ fault: 'reset-stream' });
    expect(await eventually(() => stream.error, { what: 'the stream has ended' })).toMatchObject({
      code: status.UNAVAILABLE,
    });
    const moved = peer.subscribe(ORDERS, { replayPreset: 'CUSTOM', replayId: stream.events[1]?.replayId as Buffer });
    expect(await eventually(() => moved.error, { what: 'it is refused' })).toMatchObject(corrupted);
    const anew = await listening(ORDERS);
    change(4);
    await eventually(() => anew.events.length === 1, { what: 'new events come' });
  });

  it('refuses a request for nothing, and another topic on the same stream', async () => {
    const none = peer.subscribe(ORDERS, { numRequested: 0 });
    const error = await eventually(() => none.error, { what: 'it is refused' });
    expect(error).toMatchObject({ errorCode: 'subscription.fetch.requested.events.invalid' });
    const stream = await listening(ORDERS);
    stream.fetch({ topicName: '/data/AccountChangeEvent', numRequested: 1 });
    const mismatch = await eventually(() => stream.error, { what: 'it is refused' });
    expect(mismatch).toMatchObject({ errorCode: 'subscription.fetch.topic.mismatch' });
  });

  it('keeps a stream alive with an empty response whose position can be resumed from', async () => {
    sandbox.fault({ fault: 'timing', keepaliveMs: 40 });
    const stream = await listening(ORDERS, { numRequested: 7 });
    await eventually(() => stream.responses.length >= 2, { what: 'two keep-alives have come' });
    const [alive] = stream.responses;
    expect(alive).toMatchObject({ events: [], pendingNumRequested: 7 });
    const Id = change(5);
    const resumed = await listening(ORDERS, { replayPreset: 'CUSTOM', replayId: alive?.latestReplayId as Buffer });
    await eventually(() => resumed.events.length === 1, { what: 'the change after it has come' });
    expect((await peer.headersOf(resumed))[0]?.['recordIds']).toEqual([Id]);
  });

  it('closes a stream on which nothing is requested any more', async () => {
    sandbox.fault({ fault: 'timing', fetchTimeoutMs: 60 });
    const stream = await listening(ORDERS, { numRequested: 1 });
    change(6);
    await eventually(() => stream.events.length === 1, { what: 'the event has come' });
    await eventually(() => stream.hasEnded, { what: 'the stream has ended' });
    expect(stream.error).toBeUndefined();
    expect(sandbox.listening.pubSubStreams).toBe(0);
  });

  it('misses what is published before a subscription at LATEST has settled, if told so', async () => {
    sandbox.fault({ fault: 'timing', settleMs: 500 });
    const stream = await listening(ORDERS);
    change(7);
    await new Promise((resolve) => setTimeout(resolve, 600));
    const Id = change(8);
    await eventually(() => stream.events.length > 0, { what: 'an event has come' });
    expect((await peer.headersOf(stream)).map(({ recordIds }) => recordIds[0])).toEqual([Id]);
  });

  it('goes on with the fields of its time when an object gets a field in mid-stream', async () => {
    const stream = await listening(ORDERS);
    const Id = change(9);
    sandbox.fault({ fault: 'add-field', entityName: 'Order', name: 'Rank', type: 'int' });
    sandbox.org.update('Order', Id, { Rank: 3 });
    await eventually(() => stream.events.length === 2, { what: 'both have come' });
    const [before, after] = stream.events;
    expect(before?.event.schemaId).not.toBe(after?.event.schemaId);
    expect(await peer.decode(before!)).not.toHaveProperty('Rank');
    expect(await peer.decode(after!)).toMatchObject({ Rank: 3, Description: null });
  });

  it('takes published platform events, says which were refused, and delivers them with their id', async () => {
    const stream = await listening(ELIGIBILITY);
    const { Id } = sandbox.org.records('Account')[0] as { Id: string };
    sandbox.org.create('Account_Eligibility_Update__e', { Account_Id__c: Id });
    await eventually(() => stream.events.length === 1, { what: 'the event has come' });
    const [{ event }] = stream.events as [PeerStream['events'][number]];
    expect(event.id).toMatch(/^[\da-f-]{36}$/);
    const good = { id: 'mine', schemaId: event.schemaId, payload: event.payload };
    const bad = { ...good, id: 'broken', payload: Buffer.from('x') };
    const answer = await peer.call<{ results: { correlationKey: string; replayId: Buffer; error: unknown }[] }>(
      'Publish',
      {
        topicName: ELIGIBILITY,
        events: [good, bad],
      },
    );
    await eventually(() => stream.events.length === 2, { what: 'the published one has come' });
    expect(answer.results.map(({ correlationKey, error }) => [correlationKey, error === null])).toEqual([
      ['mine', true],
      ['broken', false],
    ]);
    expect(answer.results[0]?.replayId).toEqual(stream.events[1]?.replayId);
    expect(await peer.decode(stream.events[1]!)).toMatchObject({ Account_Id__c: Id });
    await expect(peer.call('Publish', { topicName: ORDERS, events: [good] })).rejects.toMatchObject({ code: 5 });
  });
});
