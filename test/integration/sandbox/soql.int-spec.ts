import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startSandbox, type Sandbox } from '../../../apps/sandbox/src/sandbox.js';
import { connectTo, rest } from './org-client.js';

describe('queries as jsforce and the sf command line ask them', () => {
  let sandbox: Sandbox;
  let connection: ReturnType<typeof connectTo>;

  beforeAll(async () => {
    sandbox = await startSandbox({ port: 0, latencyMs: 0 });
    connection = connectTo(sandbox);
  });
  afterAll(() => sandbox.close());

  const columnsOf = (soql: string) =>
    connection.request<any>(`${connection._baseUrl()}/query?q=${encodeURIComponent(soql)}&columns=true`);
  const field = (columnName: string, more: object = {}) => ({
    aggregate: false,
    apexType: 'String',
    booleanType: false,
    columnName,
    custom: false,
    displayName: columnName,
    foreignKeyName: null,
    insertable: true,
    joinColumns: [],
    numberType: false,
    textType: true,
    updatable: true,
    ...more,
  });
  const none = { apexType: null, insertable: false, textType: false, updatable: false };

  it('[D5] answers the columns of fields, parents and sub-queries in place of records', async () => {
    const soql =
      'SELECT id, status, Hikari_Denwa__c, account.name, Account.Owner.Name, (SELECT Quantity, Product2.Name FROM OrderItems) FROM Order';
    const readOnly = { insertable: false, updatable: false };
    expect(await columnsOf(soql)).toEqual({
      columnMetadata: [
        field('Id', { ...readOnly, apexType: 'Id', textType: false }),
        field('Status'),
        field('Hikari_Denwa__c', { apexType: 'Boolean', booleanType: true, custom: true, textType: false }),
        field('Account', {
          ...none,
          foreignKeyName: 'AccountId',
          joinColumns: [
            field('Name'),
            field('Owner', { ...none, foreignKeyName: 'OwnerId', joinColumns: [field('Name', readOnly)] }),
          ],
        }),
        field('OrderItems', {
          ...none,
          aggregate: true,
          joinColumns: [
            field('Quantity', { apexType: 'Double', numberType: true, textType: false }),
            field('Product2', { ...none, foreignKeyName: 'Product2Id', joinColumns: [field('Name')] }),
          ],
        }),
      ],
      entityName: 'Order',
      groupBy: false,
      idSelected: true,
      keyPrefix: '801',
    });
  });

  it('[D5] answers the columns of groups, of a count, and refuses what the query itself would be refused for', async () => {
    expect(await columnsOf('SELECT Status, COUNT(Id) n, avg(TotalAmount) FROM Order GROUP BY Status')).toMatchObject({
      columnMetadata: [
        field('Status'),
        field('n', { ...none, aggregate: true, displayName: 'count(Id)', numberType: true }),
        field('expr0', { ...none, aggregate: true, displayName: 'avg(TotalAmount)', numberType: true }),
      ],
      groupBy: true,
      idSelected: false,
    });
    expect(await columnsOf('SELECT COUNT() FROM Order')).toMatchObject({ columnMetadata: [] });
    for (const soql of ['SELECT Nope FROM Order', 'SELECT Id FROM Order WHERE Nope = 1']) {
      await expect(columnsOf(soql)).rejects.toMatchObject({ errorCode: 'INVALID_FIELD' });
    }
    const queries = sandbox.counts.salesforce.queries;
    expect((await rest(sandbox, 'GET', '/query?q=SELECT+Id+FROM+Account+LIMIT+1&columns=false')).body).toHaveProperty(
      'records',
    );
    expect(sandbox.counts.salesforce.queries).toBe(queries + 1);
  });

  it('[D5] answers the columns of the Tooling API, too, and does not pass over what limits its queries', async () => {
    const soql = 'SELECT FullName, selectedentity FROM PlatformEventChannelMember LIMIT 2';
    const url = `/tooling/query?q=${encodeURIComponent(soql)}`;
    const { body } = await rest(sandbox, 'GET', `${url}&columns=true`);
    expect(body.columnMetadata.map(({ columnName }: { columnName: string }) => columnName)).toEqual([
      'FullName',
      'SelectedEntity',
    ]);
    expect((await rest(sandbox, 'GET', url)).body.records).toHaveLength(2);
    for (const refused of ['COUNT()', 'FullName, COUNT(Id)', 'Nope']) {
      const wrong = encodeURIComponent(`SELECT ${refused} FROM PlatformEventChannelMember`);
      expect((await rest(sandbox, 'GET', `/tooling/query?q=${wrong}`)).status).toBe(400);
    }
  });

  it('[D8] groups orders, and the groups are all of them', async () => {
    const grouped = await connection.query<{ Status: string; expr0: number; total: number }>(
      'SELECT Status, COUNT(Id), SUM(TotalAmount) total FROM Order GROUP BY Status HAVING COUNT(Id) > 0 ORDER BY COUNT(Id) DESC',
    );
    const orders = sandbox.org.records('Order');
    expect(grouped.totalSize).toBe(new Set(orders.map((order) => order['Status'])).size);
    expect(grouped.records.reduce((sum, group) => sum + group.expr0, 0)).toBe(orders.length);
    expect(grouped.records[0]).toHaveProperty('attributes.type', 'AggregateResult');
    const draft = orders.filter((order) => order['Status'] === 'Draft');
    const total = draft.reduce((sum, order) => sum + Number(order['TotalAmount']), 0);
    expect(grouped.records.find((group) => group.Status === 'Draft')?.total).toBeCloseTo(total, 2);
    await expect(connection.query('SELECT Id, COUNT(Status) FROM Order GROUP BY Id')).rejects.toMatchObject({
      errorCode: 'EXCEEDED_ID_LIMIT',
    });
  });

  it('[D8] knows date literals and semi-joins', async () => {
    const dayMs = 86_400_000;
    // Moves to the next noon: at midnight the date would change in the middle of this test.
    sandbox.org.clock.advance(dayMs + dayMs / 2 - (sandbox.org.clock.now() % dayMs));
    const AccountId = sandbox.org.create('Account', { Name: 'Just now' });
    const tomorrow = new Date(sandbox.org.clock.now() + dayMs).toISOString().slice(0, 10);
    sandbox.org.create('Order', { AccountId, EffectiveDate: tomorrow, Status: 'Draft' });
    const names = async (where: string) =>
      (await connection.query<{ Name: string }>(`SELECT Name FROM Account WHERE ${where}`)).records.map(
        ({ Name }) => Name,
      );
    expect(await names('CreatedDate = TODAY')).toEqual(['Just now']);
    expect(await names('CreatedDate >= LAST_N_DAYS:1')).toEqual(['Just now']);
    expect(
      await names("Id IN (SELECT AccountId FROM Order WHERE EffectiveDate = TOMORROW) AND Name LIKE 'Just%'"),
    ).toEqual(['Just now']);
    expect(await names('Id NOT IN (SELECT AccountId FROM Order) AND CreatedDate = THIS_WEEK')).toEqual([]);
    sandbox.fault({ fault: 'permission', entityName: 'Order', canRead: false, canViewAll: false });
    await expect(names('Id IN (SELECT AccountId FROM Order)')).rejects.toMatchObject({ errorCode: 'INVALID_TYPE' });
    sandbox.endFaults();
  });
});
