import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import jsforce from 'jsforce';
import { startSandbox, type Sandbox } from '../../../apps/sandbox/src/sandbox.js';

const VERSION = '67.0';
const { Connection, OAuth2 } = jsforce;

interface OrderWithLines {
  readonly TotalAmount: number;
  readonly Account: { readonly Name: string };
  readonly OrderItems: {
    readonly records: { readonly TotalPrice: number; readonly Product2: { readonly Name: string } }[];
  };
}

describe('the sandbox over REST, as jsforce sees it', () => {
  let sandbox: Sandbox;
  let connection: InstanceType<typeof Connection>;

  beforeAll(async () => {
    sandbox = await startSandbox({ port: 0, latencyMs: 0 });
    connection = new Connection({
      version: VERSION,
      oauth2: { clientId: 'sandbox-client', clientSecret: 'sandbox-secret', loginUrl: sandbox.url },
      callOptions: { client: 'evergreen-test' },
    });
    await connection.authorize({ grant_type: 'client_credentials' });
  });
  afterAll(() => sandbox.close());

  const customerAccount = (n: number): string =>
    sandbox.org.records('Account', { Portal_User_Id__c: `customer-${n}` })[0]?.Id ?? '';

  it('signs in with client credentials and knows its org and user', async () => {
    expect(connection.instanceUrl).toBe(sandbox.url);
    expect(connection.userInfo?.organizationId).toBe(sandbox.org.organizationId);
    const identity = await connection.identity();
    expect(identity.username).toBe(sandbox.org.username);
  });

  it('refuses a wrong secret in the words of Salesforce', async () => {
    const other = new Connection({
      oauth2: { clientId: 'sandbox-client', clientSecret: 'wrong', loginUrl: sandbox.url },
    });
    await expect(other.authorize({ grant_type: 'client_credentials' })).rejects.toMatchObject({
      name: 'invalid_client',
      message: 'invalid client credentials',
    });
  });

  it('answers an order with its account and its lines in one query', async () => {
    const result = await connection.query<OrderWithLines>(
      `SELECT Id, OrderNumber, TotalAmount, Account.Name, (SELECT Id, TotalPrice, Product2.Name FROM OrderItems ORDER BY OrderItemNumber)
       FROM Order WHERE AccountId = '${customerAccount(1)}' ORDER BY EffectiveDate DESC`,
    );
    expect(result.totalSize).toBe(8);
    for (const order of result.records) {
      expect(order.Account.Name).toBe('Demo Customer 1');
      const lines = order.OrderItems.records;
      expect(lines.reduce((sum, line) => sum + line.TotalPrice, 0)).toBeCloseTo(order.TotalAmount, 2);
      expect(lines[0]?.Product2.Name).toEqual(expect.any(String));
    }
  });

  it('pages: autoFetch brings every order, each once', async () => {
    const all = sandbox.org.records('Order').length;
    const first = await connection.query('SELECT Id FROM Order');
    expect(first).toMatchObject({ totalSize: all, done: false });
    expect(first.records).toHaveLength(2_000);
    const whole = await connection.query('SELECT Id FROM Order', { autoFetch: true, maxFetch: 10_000 });
    expect(new Set(whole.records.map((record) => record['Id'])).size).toBe(all);
  });

  it('reports the API usage with every answer', async () => {
    await connection.query('SELECT COUNT() FROM Product2');
    const before = connection.limitInfo?.apiUsage?.used ?? 0;
    await connection.query('SELECT COUNT() FROM Product2');
    expect(connection.limitInfo?.apiUsage).toEqual({ used: before + 1, limit: 5_000_000 });
  });

  it('creates, reads, changes and deletes a record', async () => {
    const created = await connection.sobject('Account').create({ Name: 'Fresh Ltd', BillingCity: 'Kyoto' });
    const id = created.id as string;
    expect(id).toMatch(/^001.{15}$/);
    const read = await connection.sobject('Account').retrieve(id);
    expect(read).toMatchObject({ Name: 'Fresh Ltd', BillingAddress: { city: 'Kyoto', street: null } });
    await connection.sobject('Account').update({ Id: id, Name: 'Fresher Ltd' });
    expect((await connection.sobject('Account').retrieve(id))['Name']).toBe('Fresher Ltd');
    await connection.sobject('Account').destroy(id);
    await expect(connection.sobject('Account').retrieve(id)).rejects.toMatchObject({ errorCode: 'NOT_FOUND' });
    const deleted = await connection.request<{ totalSize: number }>(
      `/services/data/v${VERSION}/queryAll?q=${encodeURIComponent(`SELECT Id FROM Account WHERE Id = '${id}' AND IsDeleted = true`)}`,
    );
    expect(deleted.totalSize).toBe(1);
  });

  it.each([
    ['an unknown field', { Nmae: 'x' }, 'INVALID_FIELD'],
    ['a field that only the org writes', { CreatedDate: '2026-01-01T00:00:00Z' }, 'INVALID_FIELD_FOR_INSERT_UPDATE'],
    ['a required field emptied', { Name: null }, 'REQUIRED_FIELD_MISSING'],
    ['a text where a number belongs', { NumberOfEmployees: 'many' }, 'JSON_PARSER_ERROR'],
    ['a reference to nothing', { ParentId: '0015g00000ZZZZZAA4' }, 'MALFORMED_ID'],
    [
      'a value outside a restricted pick list',
      { Internet_Eligibility_Status__c: 'Maybe' },
      'INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST',
    ],
  ])('refuses a change with %s and changes nothing', async (_what, fields, errorCode) => {
    const id = customerAccount(2);
    const before = sandbox.org.find('Account', id);
    await expect(connection.sobject('Account').update({ Id: id, ...fields } as never)).rejects.toMatchObject({
      errorCode,
    });
    expect(sandbox.org.find('Account', id)).toBe(before);
  });

  it('refuses a malformed id, an unknown object and a wrong query with their own codes', async () => {
    await expect(connection.sobject('Order').retrieve('8015g00000ZZZZ!')).rejects.toMatchObject({
      errorCode: 'MALFORMED_ID',
    });
    await expect(connection.query('SELECT Id FROM Ordr')).rejects.toMatchObject({ errorCode: 'INVALID_TYPE' });
    await expect(connection.query('SELECT Idd FROM Order')).rejects.toMatchObject({ errorCode: 'INVALID_FIELD' });
    await expect(connection.query('SELECT Status, COUNT(Id) FROM Order GROUP BY ROLLUP(Status)')).rejects.toMatchObject(
      {
        errorCode: 'MALFORMED_QUERY',
      },
    );
  });

  it('describes an object with its pick lists and relationships', async () => {
    const described = await connection.describe('Order');
    const status = described.fields.find((field) => field.name === 'Status');
    expect(status?.picklistValues?.map((entry) => entry.value)).toContain('Activated');
    expect(described.childRelationships.map((child) => child.relationshipName)).toContain('OrderItems');
    expect((await connection.describeGlobal()).sobjects.map((object) => object.name)).toContain('PricebookEntry');
  });

  it('retrieves many in the order asked for, with null for a missing one', async () => {
    const [first, second] = sandbox.org
      .records('Order')
      .slice(0, 2)
      .map((record) => record.Id) as [string, string];
    const got = await connection.sobject('Order').retrieve([second, '8015g00000ZZZZZ'.slice(0, 15), first]);
    expect(got.map((record) => (record as { Id?: string } | null)?.Id)).toEqual([second, undefined, first]);
  });

  it('runs a composite request as one transaction, with references and all or none', async () => {
    const entry = sandbox.org.records('PricebookEntry')[0];
    const base = `/services/data/v${VERSION}/sobjects`;
    const order = { AccountId: customerAccount(3), EffectiveDate: '2026-11-20', Status: 'Draft' };
    const line = { OrderId: '@{order.id}', PricebookEntryId: entry?.Id, Quantity: 2, UnitPrice: 100 };
    const send = (unitPrice: unknown) =>
      connection.requestPost<{ compositeResponse: { httpStatusCode: number; body: unknown }[] }>('/composite', {
        allOrNone: true,
        compositeRequest: [
          { method: 'POST', url: `${base}/Order`, referenceId: 'order', body: order },
          { method: 'POST', url: `${base}/OrderItem`, referenceId: 'line', body: { ...line, UnitPrice: unitPrice } },
          { method: 'GET', url: `${base}/Order/@{order.id}?fields=TotalAmount`, referenceId: 'read' },
        ],
      });
    const { compositeResponse } = await send(100);
    expect(compositeResponse.map((part) => part.httpStatusCode)).toEqual([201, 201, 200]);
    expect(compositeResponse[2]?.body).toMatchObject({ TotalAmount: 200 });

    const orders = sandbox.org.records('Order').length;
    const refused = await send('a lot');
    expect(refused.compositeResponse.map((part) => (part.body as [{ errorCode: string }])[0].errorCode)).toEqual([
      'PROCESSING_HALTED',
      'JSON_PARSER_ERROR',
      'PROCESSING_HALTED',
    ]);
    expect(sandbox.org.records('Order')).toHaveLength(orders);
  });

  it('ends a session with 401, and jsforce signs in again by its refreshFn', async () => {
    const refreshing = new Connection({
      version: VERSION,
      instanceUrl: sandbox.url,
      accessToken: sandbox.issueToken(),
      refreshFn: (_connection, callback) => {
        const oauth2 = new OAuth2({
          clientId: 'sandbox-client',
          clientSecret: 'sandbox-secret',
          loginUrl: sandbox.url,
        });
        oauth2
          .requestToken({ grant_type: 'client_credentials' })
          .then((token) => callback(null, token.access_token))
          .catch((error: Error) => callback(error));
      },
    });
    expect((await refreshing.query('SELECT COUNT() FROM Account')).totalSize).toBeGreaterThanOrEqual(200);
    sandbox.fault({ fault: 'revoke-tokens' });
    await expect(connection.query('SELECT Id FROM Account LIMIT 1')).rejects.toThrow();
    expect((await refreshing.query('SELECT Id FROM Account LIMIT 1')).totalSize).toBe(1);
    await connection.authorize({ grant_type: 'client_credentials' });
  });

  it('answers 503 as often as ordered, then works again', async () => {
    sandbox.fault({ fault: 'refuse', target: 'rest', count: 1 });
    const url = `${sandbox.url}/services/data/v67.0/limits`;
    const headers = { authorization: `Bearer ${sandbox.issueToken()}` };
    const refused = await fetch(url, { headers });
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject([{ errorCode: 'SERVER_UNAVAILABLE' }]);
    expect((await fetch(url, { headers })).status).toBe(200);
  });

  it.each([
    ['that is broken', '{"Name":', 400, 'JSON_PARSER_ERROR'],
    ['that is no object', '[1]', 400, 'JSON_PARSER_ERROR'],
    [
      'nested a hundred thousand deep',
      `{"Name":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
      400,
      'JSON_PARSER_ERROR',
    ],
    ['of two megabytes', `{"Name":"${'x'.repeat(2_000_000)}"}`, 413, 'REQUEST_ENTITY_TOO_LARGE'],
  ])('refuses a body %s', async (_what, body, status, errorCode) => {
    const headers = { authorization: `Bearer ${sandbox.issueToken()}`, 'content-type': 'application/json' };
    const response = await fetch(`${sandbox.url}/services/data/v67.0/sobjects/Account`, {
      method: 'POST',
      headers,
      body,
    });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject([{ errorCode }]);
  });

  it('takes as long as its latency says', async () => {
    sandbox.setLatency(120);
    const start = performance.now();
    await connection.query('SELECT Id FROM Account LIMIT 1');
    expect(performance.now() - start).toBeGreaterThanOrEqual(115);
    sandbox.setLatency(0);
  });

  it('says so when its port is taken', async () => {
    const server = createServer();
    const port = await new Promise<number>((resolve) =>
      server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)),
    );
    await expect(startSandbox({ port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await new Promise((resolve) => server.close(resolve));
  });
});
