import { generateKeyPairSync } from 'node:crypto';
import { Test } from '@nestjs/testing';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { jwtVerify } from 'jose';
import { type Caller, runForCaller } from '@bff/infra/callers/caller';
import { MemorySpendLedger } from '@bff/infra/sources/memory-spend-ledger';
import { runAsWrite } from '@bff/infra/sources/write-work';
import { ChangeEventSource } from '@bff/integrations/salesforce/events/change-event-source';
import {
  JsforceSalesforceClient,
  type SalesforceGateOptions,
} from '@bff/integrations/salesforce/connection/jsforce-salesforce.client';
import { SalesforceConnection } from '@bff/integrations/salesforce/connection/salesforce-connection';
import { SalesforceClient } from '@bff/integrations/salesforce/salesforce.client';
import { SalesforceError } from '@bff/integrations/salesforce/salesforce.errors';
import { SalesforceModule } from '@bff/integrations/salesforce/salesforce.module';
import { soql } from '@bff/integrations/salesforce/soql';
import { json, RestDouble } from './rest-double.js';
import { eventually } from '../../support/eventually.js';

const ONE_ORDER = { totalSize: 1, done: true, records: [{ attributes: { type: 'Order' }, Id: '801xx0000000001AAA' }] };
const QUERY = soql`SELECT Id FROM Order`;

describe('the Salesforce client', () => {
  let salesforce: RestDouble;

  function newClient(options: object = {}, gate: SalesforceGateOptions = {}): JsforceSalesforceClient {
    const credentials = { loginUrl: salesforce.url, clientId: 'the-client', clientSecret: 'the-secret' };
    return new JsforceSalesforceClient(new SalesforceConnection({ ...credentials, ...options }), gate);
  }

  async function failure(call: Promise<unknown>): Promise<SalesforceError> {
    const error = await call.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(SalesforceError);
    return error as SalesforceError;
  }

  beforeEach(async () => {
    salesforce = await RestDouble.start();
    salesforce.answer = json(ONE_ORDER);
  });

  afterEach(async () => {
    await salesforce.stop();
  });

  it('signs in once for all who call first, with the explicit API version', async () => {
    const client = newClient();
    expect(salesforce.grants).toHaveLength(0);
    await Promise.all([client.query(QUERY), client.query(QUERY), client.organizationId()]);
    expect(salesforce.grants).toHaveLength(1);
    expect(Object.fromEntries(salesforce.grants[0] as URLSearchParams)).toEqual({
      grant_type: 'client_credentials',
      client_id: 'the-client',
      client_secret: 'the-secret',
    });
    expect(salesforce.exchanges[0]?.path).toBe('/services/data/v67.0/query?q=SELECT Id FROM Order');
    expect(salesforce.exchanges[0]?.headers['sforce-call-options']).toBe('client=evergreen');
    expect(await client.organizationId()).toBe('00Dxx0000000001EAA');
    expect(client.apiUsage()).toEqual({ used: 18, limit: 15_000, reserve: 1_500, refused: 0 });
  });

  it('signs in with a JWT that lives at most three minutes', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const pem = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
    await newClient({ clientSecret: undefined, username: 'user@example.com', privateKey: pem }).query(QUERY);
    const grant = Object.fromEntries(salesforce.grants[0] as URLSearchParams);
    expect(Object.keys(grant)).toEqual(['grant_type', 'assertion']);
    const { payload, protectedHeader } = await jwtVerify(grant['assertion'] as string, publicKey);
    expect(protectedHeader.alg).toBe('RS256');
    expect(payload).toMatchObject({ iss: 'the-client', sub: 'user@example.com', aud: salesforce.url });
    expect((payload.exp as number) - Date.now() / 1000).toBeLessThanOrEqual(180);
  });

  it('signs in again once, when the session of many callers has expired', async () => {
    const client = newClient();
    await client.query(QUERY);
    salesforce.expireToken();
    const answers = await Promise.all(Array.from({ length: 5 }, () => client.query(QUERY)));
    expect(answers.map((records) => records.length)).toEqual([1, 1, 1, 1, 1]);
    expect(salesforce.grants).toHaveLength(2);
  });

  it('gives up when the org rejects the tokens that it issues', async () => {
    salesforce.rejectsTokens = true;
    const client = newClient();
    const error = await failure(client.query(QUERY));
    expect(error).toMatchObject({ code: 'SALESFORCE_AUTH_FAILED', retryable: false });
    expect(error.message).toMatch(/rejects tokens that it has just issued/);
    expect(salesforce.grants.length).toBeLessThanOrEqual(3);
    salesforce.rejectsTokens = false;
    expect(await client.query(QUERY)).toHaveLength(1);
  });

  it('says that the credentials were refused, without showing them', async () => {
    salesforce.answerToken = json({ error: 'invalid_client', error_description: 'invalid client credentials' }, 400);
    const error = await failure(newClient().query(QUERY));
    expect(error.code).toBe('SALESFORCE_AUTH_FAILED');
    expect(error.message).toMatch(/invalid_client.*check the client id/);
    expect(error.message).not.toContain('the-secret');
  });

  it('[C7] repeats nothing of what it sent, should the token endpoint, and keeps its advice', async () => {
    const secret = 'fourteen-chars';
    const description = `no client has ${secret} here, ${'x'.repeat(90)} ${secret} ${'y'.repeat(2_000)}`;
    salesforce.answerToken = json({ error: 'invalid_client', error_description: description }, 400);
    const { message } = await failure(newClient({ clientSecret: secret }).query(QUERY));
    expect(message).toMatch(/invalid_client: no client has \[secret\] here.*; check the client id/);
    expect(message).not.toMatch(/four/);
  });

  it('sends nothing for a caller that gave up during the sign-in', async () => {
    const held: (() => void)[] = [];
    salesforce.answerToken = (exchange, response) => {
      const id = `${salesforce.url}/id/00Dxx0000000001EAA/005xx0000000001AAA`;
      held.push(() => json({ access_token: 't', instance_url: salesforce.url, id })(exchange, response));
    };
    const credentials = { loginUrl: salesforce.url, clientId: 'the-client', clientSecret: 'the-secret' };
    const giveUp = new AbortController();
    let sent = 0;
    const call = failure(
      new SalesforceConnection(credentials).request(() => Promise.resolve((sent += 1)), giveUp.signal),
    );
    await eventually(() => held.length === 1, { what: 'the sign-in' });
    giveUp.abort();
    held[0]?.();
    expect([(await call).code, sent]).toEqual(['SALESFORCE_ABORTED', 0]);
  });

  it('says what to check when the sign-in names no org', async () => {
    const id = `${salesforce.url}/id/not-an-org/005xx0000000001AAA`;
    salesforce.answerToken = json({ access_token: 't', instance_url: salesforce.url, id });
    expect(await failure(newClient().organizationId())).toMatchObject({
      code: 'SALESFORCE_UNAVAILABLE',
      message: expect.stringMatching(/names no org; check SF_LOGIN_URL/),
    });
  });

  it('reads every page, of the result and of its child records', async () => {
    const page = (totalSize: number, ids: string[], next?: string): object => ({
      totalSize,
      done: next === undefined,
      ...(next === undefined ? {} : { nextRecordsUrl: `/services/data/v67.0/query/${next}` }),
      records: ids.map((Id) => ({ Id })),
    });
    const first = page(3, ['a'], 'root-2') as { records: object[] };
    first.records[0] = { Id: 'a', OrderItems: page(2, ['i1'], 'child-2') };
    salesforce.answer = (exchange, response) => {
      const next = exchange.path.split('/query/')[1];
      const answers: Record<string, object> = { 'root-2': page(3, ['b', 'c']), 'child-2': page(2, ['i2']) };
      json(next === undefined ? first : answers[next])(exchange, response);
    };
    const records = await newClient().query<{ Id: string; OrderItems?: { done: boolean; records: object[] } }>(QUERY);
    expect(records.map(({ Id }) => Id)).toEqual(['a', 'b', 'c']);
    expect(records[0]?.OrderItems).toEqual({ totalSize: 2, done: true, records: [{ Id: 'i1' }, { Id: 'i2' }] });
    expect((await failure(newClient({ recordCountMax: 4 }).query(QUERY))).code).toBe('SALESFORCE_RESULT_TOO_LARGE');
  });

  it('sends a composite as all or none and names the first real cause', async () => {
    const calls = [
      { method: 'POST', path: '/sobjects/Order', referenceId: 'order', body: { Status: 'Draft' } },
      { method: 'POST', path: '/sobjects/OrderItem', referenceId: 'item', body: { OrderId: '@{order.id}' } },
    ] as const;
    salesforce.answer = json({
      compositeResponse: [
        { body: { id: '801' }, httpHeaders: {}, httpStatusCode: 201, referenceId: 'order' },
        { body: { id: '802' }, httpHeaders: {}, httpStatusCode: 201, referenceId: 'item' },
      ],
    });
    const client = newClient();
    expect(await client.composite(calls)).toEqual([{ id: '801' }, { id: '802' }]);
    expect(JSON.parse(salesforce.exchanges[0]?.body ?? '')).toMatchObject({
      allOrNone: true,
      compositeRequest: [
        { url: '/services/data/v67.0/sobjects/Order' },
        { url: '/services/data/v67.0/sobjects/OrderItem' },
      ],
    });
    const failed = (errorCode: string, referenceId: string): object => ({
      body: [{ errorCode, message: 'm' }],
      httpHeaders: {},
      httpStatusCode: 400,
      referenceId,
    });
    salesforce.answer = json({
      compositeResponse: [failed('PROCESSING_HALTED', 'order'), failed('INVALID_FIELD', 'item')],
    });
    const error = await failure(client.composite(calls));
    expect(error).toMatchObject({ code: 'SALESFORCE_BAD_REQUEST', salesforceCode: 'INVALID_FIELD' });
    expect(error.message).toContain('because of call item');
  });

  it('never sends a write twice', async () => {
    salesforce.answer = json([{ message: 'away', errorCode: 'SERVER_UNAVAILABLE' }], 503);
    const call = { method: 'POST', path: '/sobjects/Order', referenceId: 'order' } as const;
    expect((await failure(newClient().composite([call]))).code).toBe('SALESFORCE_UNAVAILABLE');
    expect(salesforce.exchanges).toHaveLength(1);
  });

  it('reads a picklist, and says which field there is not', async () => {
    const values = [{ value: 'Draft', label: null, active: true, defaultValue: true }];
    salesforce.answer = json({
      fields: [
        { name: 'Status', picklistValues: values },
        { name: 'Id', picklistValues: [] },
      ],
    });
    const client = newClient();
    expect(await client.picklist('Order', 'Status')).toEqual([{ value: 'Draft', label: 'Draft', active: true }]);
    expect((await failure(client.picklist('Order', 'Colour'))).code).toBe('SALESFORCE_NOT_FOUND');
    expect((await failure(client.picklist('Order/../x', 'Status'))).code).toBe('SALESFORCE_BAD_REQUEST');
  });

  it.each([
    [400, 'MALFORMED_QUERY', 'SALESFORCE_BAD_REQUEST'],
    [403, 'REQUEST_LIMIT_EXCEEDED', 'SALESFORCE_LIMIT_EXCEEDED'],
    [404, 'NOT_FOUND', 'SALESFORCE_NOT_FOUND'],
  ])('turns HTTP %i %s into %s', async (status, errorCode, code) => {
    salesforce.answer = json([{ message: 'm', errorCode }], status);
    expect(await failure(newClient().query(QUERY))).toMatchObject({ code, salesforceCode: errorCode });
  });

  it('ends a call in time when no answer comes, or only the beginning of one', async () => {
    const client = newClient({ requestTimeoutMs: 100 });
    salesforce.answer = () => undefined;
    expect((await failure(client.query(QUERY))).code).toBe('SALESFORCE_TIMEOUT');
    salesforce.answer = (_, response) =>
      void response.writeHead(200, { 'content-type': 'application/json' }).write('{');
    expect((await failure(client.query(QUERY))).code).toBe('SALESFORCE_TIMEOUT');
  });

  it('ends a sign-in that never answers', async () => {
    salesforce.answerToken = () => undefined;
    expect((await failure(newClient({ requestTimeoutMs: 100 }).query(QUERY))).code).toBe('SALESFORCE_TIMEOUT');
  });

  it('says that Salesforce is away', async () => {
    const client = newClient();
    await salesforce.stop();
    expect(await failure(client.query(QUERY))).toMatchObject({ code: 'SALESFORCE_UNAVAILABLE', retryable: true });
    salesforce = await RestDouble.start();
  });

  it('keeps to its concurrency, and refuses what does not fit into its queue', async () => {
    const held: (() => void)[] = [];
    salesforce.answer = (exchange, response) => void held.push(() => json(ONE_ORDER)(exchange, response));
    const client = newClient({ concurrency: 3, queueMax: 1 }); // one of the three is kept for writes
    const waiting = [1, 2, 3].map(() => client.query(QUERY));
    expect(await failure(client.query(QUERY))).toMatchObject({ code: 'SALESFORCE_OVERLOADED', retryable: true });
    await eventually(() => held.length === 2, { what: 'two requests are under way', withinMs: 8_000 });
    expect(salesforce.exchanges).toHaveLength(2);
    held.splice(0).forEach((release) => release());
    await eventually(() => held.length === 1, { what: 'the third is under way', withinMs: 8_000 });
    held[0]?.();
    expect((await Promise.all(waiting)).map(({ length }) => length)).toEqual([1, 1, 1]);
  });

  it('[C2] refuses what does not fit into the queue of an account, keeps a place for writes, and serves in turn', async () => {
    const held: (() => void)[] = [];
    salesforce.answer = (exchange, response) => void held.push(() => json(ONE_ORDER)(exchange, response));
    const client = newClient({ concurrency: 3, accountQueueMax: 2 });
    const query = (account: string, name: string) =>
      runForCaller({ subject: name, account }, () => client.query({ text: name }));
    const greedy = ['g1', 'g2', 'g3', 'g4'].map((name) => query('greedy', name));
    expect(await failure(query('greedy', 'g5'))).toMatchObject({
      code: 'SALESFORCE_OVERLOADED',
      message: expect.stringMatching(/^query was refused: 2 requests of the same account are waiting/),
    });
    const modest = query('modest', 'm1');
    await eventually(() => held.length === 2, { what: 'two reads are under way', withinMs: 8_000 });
    void client.composite([{ method: 'POST', path: '/sobjects/Order', referenceId: 'w' }]).catch(() => undefined);
    await eventually(() => held.length === 3, { what: 'a write is under way beside them', withinMs: 8_000 });
    for (let i = 0; i < 6; i += 1) {
      await eventually(() => held.length > 0, { what: `answer ${i}`, withinMs: 8_000 });
      held.shift()?.();
    }
    expect(await Promise.all([...greedy, modest])).toHaveLength(5);
    const sent = salesforce.exchanges.map(({ path, method }) => (method === 'POST' ? 'write' : path.split('q=')[1]));
    expect(sent).toEqual(['g1', 'g2', 'write', 'm1', 'g3', 'g4']);
  });

  it('[C2] refuses the reads of those who spend most when few of the day’s requests are left, and no write', async () => {
    let left = 2_000;
    salesforce.answer = (_, response) => {
      response.writeHead(200, {
        'content-type': 'application/json;charset=UTF-8',
        'sforce-limit-info': `api-usage=${15_000 - left}/15000`,
      });
      response.end(JSON.stringify({ ...ONE_ORDER, compositeResponse: [] }));
    };
    const spend = new MemorySpendLedger();
    const client = newClient({}, { spend });
    const query = (account: string) => runForCaller({ subject: account, account }, () => client.query(QUERY));
    for (let i = 0; i < 120; i += 1) await query('heavy');
    await query('light');
    expect([spend.spentBy('heavy'), spend.spentBy('light')]).toEqual([120, 1]);
    left = 1_200;
    await query('light');
    const sent = salesforce.exchanges.length;
    expect(await failure(query('heavy'))).toMatchObject({ code: 'SALESFORCE_QUOTA_RESERVED', retryable: true });
    expect(salesforce.exchanges).toHaveLength(sent);
    expect(await query('light')).toHaveLength(1);
    const write = runForCaller({ subject: 'heavy', account: 'heavy' }, () =>
      client.composite([{ method: 'POST', path: '/sobjects/Order', referenceId: 'w' }]),
    );
    await failure(write); // the double gives no result of it
    const prices = runForCaller({ subject: 'heavy', account: 'heavy' }, () => runAsWrite(() => client.query(QUERY)));
    expect(await prices).toHaveLength(1);
    expect(salesforce.exchanges).toHaveLength(sent + 3);
    expect(client.apiUsage()).toEqual({ used: 13_800, limit: 15_000, reserve: 1_500, refused: 1 });
  });

  it('[C2] asks who may send a request before it waits, and passes that refusal on as it is', async () => {
    const refusal = new Error('at most so many a minute');
    const asked: unknown[] = [];
    const client = newClient(
      {},
      {
        admit: async (caller: Caller | undefined, kind: string) => {
          asked.push([caller?.account, kind]);
          if (caller !== undefined) throw refusal;
        },
      },
    );
    expect(await client.query(QUERY)).toHaveLength(1);
    const refused = runForCaller({ subject: 's', account: 'a' }, () => client.query(QUERY));
    expect(await refused.catch((error: unknown) => error)).toBe(refusal);
    expect(asked).toEqual([
      [undefined, 'read'],
      ['a', 'read'],
    ]);
    expect(salesforce.exchanges).toHaveLength(1);
  });

  it('stops waiting when the caller gives up', async () => {
    salesforce.answer = () => undefined;
    const giveUp = new AbortController();
    const call = failure(newClient({ requestTimeoutMs: 300 }).query(QUERY, { signal: giveUp.signal }));
    await eventually(() => salesforce.exchanges.length === 1, { what: 'the request is under way', withinMs: 8_000 });
    giveUp.abort();
    expect((await call).code).toBe('SALESFORCE_ABORTED');
  });

  it('takes the other transport where it is configured', async () => {
    const connection = { loginUrl: salesforce.url, clientId: 'c', clientSecret: 's' };
    const module = await Test.createTestingModule({
      imports: [SalesforceModule.forRoot({ connection, events: { transport: 'cometd' } })],
    }).compile();
    expect(module.get(ChangeEventSource).transport).toBe('cometd');
    await module.close();
  });

  it('comes as a Nest module that sends nothing at start and closes at shutdown', async () => {
    const module = await Test.createTestingModule({
      imports: [
        SalesforceModule.forRootAsync({
          useFactory: () => ({ connection: { loginUrl: salesforce.url, clientId: 'c', clientSecret: 's' } }),
        }),
      ],
    }).compile();
    await module.init();
    const client = module.get(SalesforceClient);
    expect(module.get(ChangeEventSource).transport).toBe('pubsub');
    expect(salesforce.grants).toHaveLength(0);
    expect(await client.query(QUERY)).toHaveLength(1);
    await module.close();
    expect((await failure(client.query(QUERY))).code).toBe('SALESFORCE_CLOSED');
  });
});
