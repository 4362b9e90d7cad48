import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startSandbox, type Sandbox } from '../../../apps/sandbox/src/sandbox.js';
import { connectTo, rest } from './org-client.js';

const DATA = '/services/data/v67.0';
const PRODUCT = { Name: 'Fibre' };

describe('[D8] several calls in one request', () => {
  let sandbox: Sandbox;
  let connection: ReturnType<typeof connectTo>;

  beforeAll(async () => {
    sandbox = await startSandbox({ port: 0, latencyMs: 0 });
    connection = connectTo(sandbox);
  });
  afterAll(() => sandbox.close());

  const accountsNamed = (Name: string) => sandbox.org.records('Account', { Name });
  const transactionsAfter = (replayId: number): Set<string> =>
    new Set(
      sandbox.events
        .after(replayId, 1_000)
        .map(({ content }) => (content.kind === 'change' ? content.header.transactionKey : content.id)),
    );

  describe('/composite/batch', () => {
    it('[D8] runs each for itself: what one wrote stays when another fails', async () => {
      const before = sandbox.events.tip;
      const { hasErrors, results } = await connection.requestPost<any>('/composite/batch', {
        batchRequests: [
          { method: 'POST', url: 'v67.0/sobjects/Account', richInput: { Name: 'Batch one' } },
          { method: 'POST', url: `${DATA}/sobjects/Account`, richInput: { Nmae: 'wrong' } },
          { method: 'GET', url: 'v67.0/query?q=SELECT Id FROM Account LIMIT 1' },
          { method: 'POST', url: 'v40.0/sobjects/Account', richInput: { Name: 'Batch two' } },
        ],
      });
      expect(hasErrors).toBe(true);
      expect(results).toMatchObject([
        { statusCode: 201, result: { success: true, id: accountsNamed('Batch one')[0]?.Id } },
        { statusCode: 400, result: [{ errorCode: 'INVALID_FIELD' }] },
        { statusCode: 200, result: { totalSize: 1, done: true } },
        { statusCode: 201, result: { success: true } },
      ]);
      expect(transactionsAfter(before).size).toBe(2);
    });

    it('[D8] stops at the first failure if told so, and knows its limits', async () => {
      const read = { method: 'GET', url: 'v67.0/limits' };
      const { results } = await connection.requestPost<any>('/composite/batch', {
        haltOnError: true,
        batchRequests: [read, { method: 'GET', url: 'v67.0/nothing' }, read],
      });
      expect(results).toMatchObject([
        { statusCode: 200 },
        { statusCode: 404, result: [{ errorCode: 'NOT_FOUND' }] },
        { statusCode: 412, result: [{ errorCode: 'BATCH_PROCESSING_HALTED' }] },
      ]);
      const tooMany = { batchRequests: Array.from({ length: 26 }, () => read) };
      expect(await rest(sandbox, 'POST', '/composite/batch', tooMany)).toMatchObject({
        status: 400,
        body: [{ errorCode: 'LIMIT_EXCEEDED' }],
      });
      const nested = {
        batchRequests: [
          { method: 'POST', url: 'v67.0/composite/batch', richInput: {} },
          { method: 'GET', url: 'v20.0/limits' },
        ],
      };
      expect((await rest(sandbox, 'POST', '/composite/batch', nested)).body.results).toMatchObject([
        { statusCode: 400 },
        { statusCode: 410 },
      ]);
    });
  });

  describe('/composite/graph', () => {
    const graph = (graphId: string, name: string, fields: object) => ({
      graphId,
      compositeRequest: [
        { method: 'POST', url: `${DATA}/sobjects/Account`, referenceId: 'parent', body: { Name: name } },
        {
          method: 'POST',
          url: `${DATA}/sobjects/Account`,
          referenceId: 'child',
          body: { ParentId: '@{parent.id}', ...fields },
        },
      ],
    });

    it('[D8] keeps or undoes each graph as a whole', async () => {
      const body = {
        graphs: [graph('good', 'Graph one', { Name: 'Child one' }), graph('bad', 'Graph two', { Nmae: 'x' })],
      };
      const { graphs } = await connection.requestPost<any>('/composite/graph', body);
      expect(graphs).toMatchObject([
        {
          graphId: 'good',
          isSuccessful: true,
          graphResponse: {
            compositeResponse: [{ httpStatusCode: 201, referenceId: 'parent' }, { httpStatusCode: 201 }],
          },
        },
        {
          graphId: 'bad',
          isSuccessful: false,
          graphResponse: {
            compositeResponse: [
              { httpStatusCode: 400, body: [{ errorCode: 'PROCESSING_HALTED' }] },
              { httpStatusCode: 400, body: [{ errorCode: 'INVALID_FIELD' }] },
            ],
          },
        },
      ]);
      expect(accountsNamed('Child one')[0]?.['ParentId']).toBe(accountsNamed('Graph one')[0]?.Id);
      expect(accountsNamed('Graph two')).toEqual([]);
    });

    it('[D8] takes records only, at most 75 graphs and 500 nodes', async () => {
      const query = { graphId: '1', compositeRequest: [{ method: 'GET', url: `${DATA}/limits`, referenceId: 'a' }] };
      expect((await rest(sandbox, 'POST', '/composite/graph', { graphs: [query] })).body.graphs[0].isSuccessful).toBe(
        false,
      );
      const graphs = Array.from({ length: 76 }, (_, i) => graph(`g${i}`, 'Too many', { Name: 'x' }));
      expect((await rest(sandbox, 'POST', '/composite/graph', { graphs })).body).toMatchObject([
        { errorCode: 'LIMIT_EXCEEDED' },
      ]);
      expect(accountsNamed('Too many')).toEqual([]);
      expect((await rest(sandbox, 'POST', '/composite/graph', { graphs: [] }, '49.0')).status).toBe(404);
    });
  });

  describe('/composite/tree', () => {
    const record = (type: string, referenceId: string, fields: object) => ({
      attributes: { type, referenceId },
      ...fields,
    });

    it('[D8] creates nested records, level by level', async () => {
      const before = sandbox.events.tip;
      const entry = sandbox.org.records('PricebookEntry')[0]?.Id;
      const line = record('OrderItem', 'line1', { PricebookEntryId: entry, Quantity: 1, UnitPrice: 10 });
      const order = record('Order', 'order1', {
        EffectiveDate: '2026-11-20',
        Status: 'Draft',
        OrderItems: { records: [line] },
      });
      const records = [
        record('Account', 'a1', { Name: 'Tree one', Orders: { records: [order] } }),
        record('Account', 'a2', { Name: 'Tree two' }),
      ];
      const { hasErrors, results } = await connection.requestPost<any>('/composite/tree/Account', { records });
      expect(hasErrors).toBe(false);
      expect(results.map(({ referenceId }: { referenceId: string }) => referenceId)).toEqual([
        'a1',
        'a2',
        'order1',
        'line1',
      ]);
      expect(sandbox.org.find('Order', results[2].id)).toMatchObject({ AccountId: results[0].id, TotalAmount: 10 });
      expect(sandbox.org.find('OrderItem', results[3].id)).toMatchObject({ OrderId: results[2].id });
      expect(transactionsAfter(before).size).toBe(1);
    });

    it('[D8] creates nothing if one record is wrong, and names that one', async () => {
      const records = [
        record('Product2', 'p1', PRODUCT),
        record('Product2', 'p2', { ...PRODUCT, Billing_Cycle__c: 'Never' }),
      ];
      const before = sandbox.org.records('Product2').length;
      expect(await rest(sandbox, 'POST', '/composite/tree/Product2', { records })).toMatchObject({
        status: 400,
        body: {
          hasErrors: true,
          results: [
            {
              referenceId: 'p2',
              errors: [{ statusCode: 'INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST', fields: ['Billing_Cycle__c'] }],
            },
          ],
        },
      });
      expect(sandbox.org.records('Product2')).toHaveLength(before);
    });

    it.each([
      ['the same reference twice', [record('Product2', 'p', PRODUCT), record('Product2', 'p', PRODUCT)]],
      ['no reference', [{ attributes: { type: 'Product2' }, ...PRODUCT }]],
      ['another type than the address says', [record('Account', 'a', { Name: 'x' })]],
      ['201 records', Array.from({ length: 201 }, (_, i) => record('Product2', `p${i}`, PRODUCT))],
    ])('[D8] refuses a request with %s', async (_what, records) => {
      const before = sandbox.org.records('Product2').length;
      expect((await rest(sandbox, 'POST', '/composite/tree/Product2', { records })).status).toBe(400);
      expect(sandbox.org.records('Product2')).toHaveLength(before);
    });

    it('[D8] refuses more than five levels', async () => {
      let deepest: object = record('Account', 'a6', { Name: 'deep' });
      for (let level = 5; level >= 1; level--)
        deepest = record('Account', `a${level}`, { Name: 'deep', ChildAccounts: { records: [deepest] } });
      expect((await rest(sandbox, 'POST', '/composite/tree/Account', { records: [deepest] })).body).toMatchObject([
        { errorCode: 'LIMIT_EXCEEDED' },
      ]);
    });
  });

  it('[D6] counts records and answers nothing else below the limits', async () => {
    const counted = await connection.request<any>('/limits/recordCount?sObjects=Order,Account,Nothing__c,account');
    expect(counted).toEqual({
      sObjects: [
        { count: sandbox.org.records('Order').length, name: 'Order' },
        { count: sandbox.org.records('Account').length, name: 'Account' },
      ],
    });
    const all = await connection.request<any>('/limits/recordCount');
    expect(all.sObjects.map(({ name }: { name: string }) => name)).toContain('Product2');
    expect((await rest(sandbox, 'GET', '/limits/anything')).status).toBe(404);
    expect((await rest(sandbox, 'GET', '/limits')).body).toHaveProperty('DailyApiRequests.Max');
  });

  it('[D8] tells the caller who they are in the list of resources, as jsforce asks', async () => {
    expect((await connection.identity()).username).toBe(sandbox.org.username);
    const { body } = await rest(sandbox, 'GET', '');
    expect(body.identity).toBe(`${sandbox.url}/id/${sandbox.org.organizationId}/${sandbox.org.userId}`);
    expect((await rest(sandbox, 'GET', '/composite')).body).toHaveProperty('tree', `${DATA}/composite/tree`);
  });
});
