import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startSandbox, type Sandbox } from '../../../apps/sandbox/src/sandbox.js';
import { connectTo, rest } from './org-client.js';

const FIELD = 'Portal_User_Id__c';

describe('[D8] records named by an external id', () => {
  let sandbox: Sandbox;
  let connection: ReturnType<typeof connectTo>;

  beforeAll(async () => {
    sandbox = await startSandbox({ port: 0, latencyMs: 0 });
    connection = connectTo(sandbox);
  });
  afterAll(() => sandbox.close());

  const idOf = (value: string): string | undefined => sandbox.org.records('Account', { [FIELD]: value })[0]?.Id;

  it('[D8] upsert of jsforce creates, then changes, and says which', async () => {
    const accounts = connection.sobject('Account');
    const created = await accounts.upsert({ [FIELD]: 'fresh-1', Name: 'Fresh' } as never, FIELD);
    expect(created).toMatchObject({ success: true, created: true, id: idOf('fresh-1') });
    const changed = await accounts.upsert({ [FIELD]: 'FRESH-1', Name: 'Fresher' } as never, FIELD);
    expect(changed).toMatchObject({ success: true, created: false, id: idOf('fresh-1') });
    expect(sandbox.org.records('Account', { Name: 'Fresher' })).toHaveLength(1);
  });

  it('[D8] upsert of many: each says what became of it, one that is wrong leaves the others', async () => {
    const records = [
      { [FIELD]: 'customer-1', Description: 'known' },
      { [FIELD]: 'fresh-2', Name: 'New' },
      { [FIELD]: 'fresh-3' },
      { [FIELD]: 'fresh-2', Name: 'Again' },
    ];
    const results = await connection.sobject('Account').upsert(records, FIELD);
    expect(results).toMatchObject([
      { id: idOf('customer-1'), success: true, errors: [], created: false },
      { id: idOf('fresh-2'), success: true, errors: [], created: true },
      { success: false, errors: [{ statusCode: 'REQUIRED_FIELD_MISSING' }] },
      {
        success: false,
        errors: [{ statusCode: 'DUPLICATE_VALUE', message: 'Duplicate external id specified: fresh-2' }],
      },
    ]);
    const all = await connection.sobject('Account').upsert(records.slice(1, 3), FIELD, { allOrNone: true });
    expect(all).toMatchObject([
      { success: false, errors: [{ statusCode: 'ALL_OR_NONE_OPERATION_ROLLED_BACK' }] },
      { success: false },
    ]);
  });

  it('[D8] reads, changes and deletes the record', async () => {
    const path = `/sobjects/Account/${FIELD}/${encodeURIComponent('a/b c+d%')}`;
    expect(await rest(sandbox, 'PATCH', path, { Name: 'Odd' })).toMatchObject({ status: 201, body: { created: true } });
    expect(await rest(sandbox, 'GET', `${path}?fields=Name,${FIELD}`)).toMatchObject({
      status: 200,
      body: { attributes: { type: 'Account' }, Name: 'Odd', [FIELD]: 'a/b c+d%' },
    });
    expect(await rest(sandbox, 'PATCH', path, { Name: 'Odder' })).toMatchObject({
      status: 200,
      body: { created: false },
    });
    expect(await rest(sandbox, 'PATCH', path, { Name: 'Old' }, '45.0')).toEqual({ status: 204, body: undefined });
    expect((await rest(sandbox, 'DELETE', path)).status).toBe(204);
    expect(await rest(sandbox, 'GET', path)).toMatchObject({ status: 404, body: [{ errorCode: 'NOT_FOUND' }] });
    expect((await rest(sandbox, 'PATCH', `${path}?updateOnly=true`, { Name: 'x' })).status).toBe(404);
  });

  it('[D8] answers 300 with the addresses when several records have the external id', async () => {
    const ids = ['twin', 'twin'].map((value) => sandbox.org.create('Account', { Name: 'Twin', [FIELD]: value }));
    const urls = ids.map((id) => `/services/data/v67.0/sobjects/Account/${id}`);
    for (const method of ['GET', 'PATCH', 'DELETE']) {
      const answer = await rest(
        sandbox,
        method,
        `/sobjects/Account/${FIELD}/twin`,
        method === 'PATCH' ? {} : undefined,
      );
      expect(answer).toEqual({ status: 300, body: urls });
    }
  });

  it('[D8] refuses in the words of Salesforce', async () => {
    const noField = (name: string) => ({
      status: 404,
      body: [
        { errorCode: 'NOT_FOUND', message: `Provided external ID field does not exist or is not accessible: ${name}` },
      ],
    });
    expect(await rest(sandbox, 'GET', '/sobjects/Account/Name/Demo')).toEqual(noField('Name'));
    expect(await rest(sandbox, 'GET', '/sobjects/Account/Nothing__c/1')).toEqual(noField('Nothing__c'));
    expect(await rest(sandbox, 'GET', '/sobjects/Account/no-id-here')).toEqual(noField('no-id-here'));
    expect((await rest(sandbox, 'GET', '/sobjects/Account/describe/layouts')).body).toEqual([
      { errorCode: 'NOT_FOUND', message: 'The requested resource does not exist' },
    ]);
    expect(await rest(sandbox, 'PATCH', '/composite/sobjects/Account/Name', { records: [] })).toEqual(noField('Name'));
    expect(await rest(sandbox, 'PATCH', `/sobjects/Account/${FIELD}/customer-1`, { [FIELD]: 'other' })).toMatchObject({
      status: 400,
      body: [
        { errorCode: 'INVALID_FIELD', message: `The ${FIELD} field should not be specified in the sobject data.` },
      ],
    });
    expect(sandbox.org.records('Account', { [FIELD]: 'other' })).toEqual([]);
  });

  it('[D8] takes a parent by its external id in a body', async () => {
    const order = { EffectiveDate: '2026-11-20', Status: 'Draft', Account: { [FIELD]: 'customer-2' } };
    const { id } = (await connection.sobject('Order').create(order as never)) as { id?: string };
    expect(sandbox.org.find('Order', id as string)?.['AccountId']).toBe(idOf('customer-2'));
    await connection.sobject('Order').update({ Id: id as string, Account: { [FIELD]: 'customer-3' } } as never);
    expect(sandbox.org.find('Order', id as string)?.['AccountId']).toBe(idOf('customer-3'));
    const orphan = { ...order, Account: { [FIELD]: 'nobody' } };
    await expect(connection.sobject('Order').create(orphan as never)).rejects.toMatchObject({
      errorCode: 'INVALID_FIELD',
      message: `Foreign key external ID: nobody not found for field ${FIELD} in entity Account`,
    });
    await expect(
      connection.sobject('Order').create({ ...order, Account: { Name: 'Demo' } } as never),
    ).rejects.toMatchObject({
      errorCode: 'INVALID_FIELD',
    });
    const many = await connection.sobject('Order').create([order, orphan] as never);
    expect(many).toMatchObject([{ success: true }, { success: false, errors: [{ statusCode: 'INVALID_FIELD' }] }]);
  });

  it('[D8] tells of external ids in the description, and a field may become one', async () => {
    const described = await connection.describe('Account');
    const names = described.fields.filter((field) => field.externalId).map((field) => field.name);
    expect(names).toEqual([FIELD, 'WHMCS_Client_Id__c']);
    sandbox.fault({
      fault: 'add-field',
      entityName: 'Product2',
      name: 'Number__c',
      type: 'double',
      isExternalId: true,
    });
    const path = '/sobjects/Product2/Number__c/7';
    expect((await rest(sandbox, 'PATCH', path, { Name: 'Seven' })).status).toBe(201);
    expect((await rest(sandbox, 'GET', `/sobjects/Product2/Number__c/7.0`)).body).toMatchObject({
      Name: 'Seven',
      Number__c: 7,
    });
    const wrong = {
      fault: 'add-field',
      entityName: 'Product2',
      name: 'On__c',
      type: 'date',
      isExternalId: true,
    } as const;
    expect(() => sandbox.fault(wrong)).toThrow('an external id');
  });

  it('[C3] a composite with a duplicate value is undone; the other calls answer that they were halted', async () => {
    const order = {
      AccountId: idOf('customer-1'),
      Status: 'Draft',
      EffectiveDate: '2026-11-20',
      Portal_Request_Id__c: 'request-1',
    };
    const compositeRequest = ['first', 'second'].map((referenceId) => ({
      method: 'POST',
      url: '/services/data/v67.0/sobjects/Order',
      referenceId,
      body: order,
    }));
    const { body } = await rest(sandbox, 'POST', '/composite', { allOrNone: true, compositeRequest });
    expect(body.compositeResponse).toMatchObject([
      { httpStatusCode: 400, body: [{ errorCode: 'PROCESSING_HALTED' }] },
      {
        httpStatusCode: 400,
        body: [
          {
            errorCode: 'DUPLICATE_VALUE',
            message: expect.stringMatching(
              /^duplicate value found: Portal_Request_Id__c duplicates value on record with id: 801\w{12}$/,
            ),
          },
        ],
      },
    ]);
    expect(sandbox.org.records('Order', { Portal_Request_Id__c: 'request-1' })).toEqual([]);
    const { body: described } = await rest(sandbox, 'GET', '/sobjects/Order/describe');
    const fields = described.fields as { name: string }[];
    expect(fields.find(({ name }) => name === 'Portal_Request_Id__c')).toMatchObject({
      unique: true,
      externalId: true,
      length: 32,
    });
  });

  it('[D8] takes a POST that says it is a PATCH or a DELETE', async () => {
    const path = `/sobjects/Account/${idOf('customer-4') ?? sandbox.org.records('Account')[5]?.Id}`;
    expect((await rest(sandbox, 'POST', `${path}?_HttpMethod=PATCH`, { Description: 'patched' })).status).toBe(204);
    expect((await rest(sandbox, 'GET', `${path}?fields=Description`)).body).toMatchObject({ Description: 'patched' });
    expect((await rest(sandbox, 'POST', '/sobjects/Account?_HttpMethod=PATCH', { Name: 'x' })).status).toBe(405);
    expect((await rest(sandbox, 'GET', `${path}?_HttpMethod=DELETE`)).status).toBe(200);
  });
});
