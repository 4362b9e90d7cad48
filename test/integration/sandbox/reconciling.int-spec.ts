import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import jsforce from 'jsforce';
import { startSandbox, type Sandbox } from '../../../apps/sandbox/src/sandbox.js';
import { eventually } from '../../support/eventually.js';
import { PubSubPeer } from './pubsub-peer.js';

const MINUTE_MS = 60_000;

/** A client can ask for changes instead of waiting for events, and can set up its own channel. */
describe('asking the sandbox what has changed', () => {
  let sandbox: Sandbox;
  let connection: InstanceType<typeof jsforce.Connection>;

  beforeAll(async () => {
    sandbox = await startSandbox({ port: 0, latencyMs: 0 });
    connection = new jsforce.Connection({
      version: '67.0',
      oauth2: { clientId: 'sandbox-client', clientSecret: 'sandbox-secret', loginUrl: sandbox.url },
    });
    await connection.authorize({ grant_type: 'client_credentials' });
  });
  afterAll(() => sandbox.close());

  /** The time of the org's clock. Salesforce lists deleted and updated records by whole minutes. */
  const now = (): number => Date.parse(String(sandbox.fault({ fault: 'advance-clock', ms: 0 })['now']));
  const nextMinute = (): void => void sandbox.fault({ fault: 'advance-clock', ms: MINUTE_MS });

  it('finds changed records by SystemModstamp, also those whose event was lost', async () => {
    nextMinute();
    const since = new Date(now()).toISOString();
    const [{ Id }] = sandbox.org.records('Order') as [{ Id: string }];
    sandbox.fault({ fault: 'drop-events', count: 1 });
    sandbox.org.update('Order', Id, { Description: 'nobody was told' });
    const found = await connection.query<{ Id: string }>(
      `SELECT Id, SystemModstamp FROM Order WHERE SystemModstamp >= ${since.slice(0, 19)}Z ORDER BY SystemModstamp, Id`,
    );
    expect(found.records.map((record) => record.Id)).toEqual([Id]);
  });

  it('lists deleted and updated records of a time, hard-deleted ones included, as jsforce asks for them', async () => {
    nextMinute();
    const start = new Date(now());
    const [silent, loud, kept] = [1, 2, 3].map((n) => sandbox.org.create('Account', { Name: `${n}` }));
    sandbox.fault({ fault: 'hard-delete', entityName: 'Account', recordId: silent as string });
    sandbox.org.delete('Account', loud as string);
    nextMinute();
    const end = new Date(now());
    const deleted = await connection.sobject('Account').deleted(start, end);
    expect(deleted.deletedRecords.map(({ id }) => id).sort()).toEqual([silent, loud].sort());
    expect(deleted.deletedRecords[0]?.deletedDate).toMatch(/^\d{4}-.*\+0000$/);
    expect(Date.parse(deleted.earliestDateAvailable)).toBeLessThan(start.getTime() - 14 * 24 * 60 * MINUTE_MS);
    expect((await connection.sobject('Account').updated(start, end)).ids).toEqual([kept]);
    const bin = await connection.request<{ records: { Id: string }[] }>(
      `/services/data/v67.0/queryAll?q=${encodeURIComponent('SELECT Id FROM Account WHERE IsDeleted = true')}`,
    );
    expect(bin.records.map((record) => record.Id)).toEqual(expect.arrayContaining([silent, loud]));
  });

  it('refuses a time that ends in the minute in which it begins, or that began too long ago', async () => {
    const minute = Math.floor(now() / MINUTE_MS) * MINUTE_MS;
    const at = (ms: number): Date => new Date(minute + ms);
    const refusal = { errorCode: 'INVALID_REPLICATION_DATE' };
    await expect(connection.sobject('Account').deleted(at(1_000), at(59_000))).rejects.toMatchObject(refusal);
    const old = at(-31 * 24 * 60 * MINUTE_MS);
    await expect(connection.sobject('Account').deleted(old, at(0))).rejects.toMatchObject(refusal);
  });

  it('tells the use of calls and of event deliveries', async () => {
    const limits = await connection.limits();
    expect(limits['DailyApiRequests']).toMatchObject({ Max: 5_000_000 });
    expect(limits['DailyDeliveredPlatformEvents']).toEqual({ Max: 5_000_000, Remaining: 5_000_000 });
  });

  it.each([
    [{ grant_type: 'password', password: 'sandbox-password' }, undefined],
    [{ grant_type: 'password', password: 'wrong' }, 'invalid_grant'],
    [{ grant_type: 'refresh_token', refresh_token: 'sandbox-refresh-token' }, undefined],
    [{ grant_type: 'refresh_token', refresh_token: 'old' }, 'invalid_grant'],
    [{ grant_type: 'client_credentials', client_secret: 'wrong' }, 'invalid_client'],
    [{ grant_type: 'client_credentials', client_id: 'wrong' }, 'invalid_client_id'],
    [{ grant_type: 'device' }, 'unsupported_grant_type'],
    [{}, 'unsupported_grant_type'],
  ])('answers the grant %j', async (form, error) => {
    const known = { client_id: 'sandbox-client', client_secret: 'sandbox-secret', username: sandbox.org.username };
    const response = await fetch(`${sandbox.url}/services/oauth2/token`, {
      method: 'POST',
      body: new URLSearchParams({ ...known, ...form } as Record<string, string>),
    });
    const body = (await response.json()) as { error?: string; error_description?: string; access_token?: string };
    expect([response.status, body.error]).toEqual([error === undefined ? 200 : 400, error]);
    if (error === undefined) expect(body.access_token).toMatch(/^00D/);
    else expect(body.error_description).toEqual(expect.any(String));
  });

  it('makes a custom channel with enrichment by the calls of the guide, and delivers on it', async () => {
    const { tooling } = connection;
    const channel = (await tooling.sobject('PlatformEventChannel').create({
      FullName: 'SalesEvents__chn',
      Metadata: { channelType: 'data', label: 'Sales' },
    } as never)) as unknown as { id: string; success: boolean };
    expect(channel).toMatchObject({ success: true, id: expect.stringMatching(/^0YL/) });
    const member = {
      FullName: 'SalesEvents_chn_OrderItemChangeEvent',
      Metadata: {
        eventChannel: 'SalesEvents__chn',
        selectedEntity: 'OrderItemChangeEvent',
        enrichedFields: [{ name: 'OrderId' }],
      },
    };
    expect(await tooling.sobject('PlatformEventChannelMember').create(member as never)).toMatchObject({
      success: true,
    });
    await expect(tooling.sobject('PlatformEventChannelMember').create(member as never)).rejects.toMatchObject({
      errorCode: 'DUPLICATE_VALUE',
    });
    const listed = await tooling.query('SELECT Id, FullName, SelectedEntity FROM PlatformEventChannelMember');
    expect(listed.records).toContainEqual(
      expect.objectContaining({ FullName: member.FullName, SelectedEntity: 'OrderItemChangeEvent' }),
    );

    const peer = new PubSubPeer(sandbox);
    const stream = peer.subscribe('/data/SalesEvents__chn');
    await eventually(() => sandbox.listening.pubSubStreams === 1, { what: 'it listens' });
    const line = sandbox.org.records('OrderItem')[0] as { Id: string; OrderId: string };
    sandbox.org.update('OrderItem', line.Id, { Description: 'enriched' });
    await eventually(() => stream.events.length === 1, { what: 'the event has come' });
    expect(await peer.decode(stream.events[0]!)).toMatchObject({ OrderId: line.OrderId, Description: 'enriched' });

    await tooling.sobject('PlatformEventChannel').destroy(channel.id);
    expect(await eventually(() => stream.error, { what: 'the stream has ended' })).toMatchObject({
      errorCode: 'topic.not.found',
    });
    peer.close();
  });

  it('refuses what it does not simulate of channels, instead of ignoring it', async () => {
    await connection.tooling.sobject('PlatformEventChannel').create({
      FullName: 'Filtered__chn',
      Metadata: { channelType: 'data', label: 'Filtered' },
    } as never);
    const filtered = {
      Metadata: { eventChannel: 'Filtered__chn', selectedEntity: 'OrderChangeEvent', filterExpression: "Status = 'x'" },
    };
    await expect(connection.tooling.sobject('PlatformEventChannelMember').create(filtered as never)).rejects.toThrow(
      'filters are not simulated',
    );
  });
});
