import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CometdChangeEventSource } from '@bff/integrations/salesforce/events/cometd-change-event-source';
import { PubSubChangeEventSource } from '@bff/integrations/salesforce/events/pubsub-change-event-source';
import { JsforceSalesforceClient } from '@bff/integrations/salesforce/connection/jsforce-salesforce.client';
import { SalesforceConnection } from '@bff/integrations/salesforce/connection/salesforce-connection';
import { toSalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import type { AccountRecord, OrderRecord } from '@bff/integrations/salesforce/salesforce.types';
import { soql } from '@bff/integrations/salesforce/soql';
import { HttpWhmcsClient } from '@bff/integrations/whmcs/http-whmcs.client';
import { composeCache } from '@bff/infra/cache/create-cache';
import { CatalogCacheService } from '@bff/modules/catalog/catalog-cache.service';
import { CatalogQueries } from '@bff/modules/catalog/catalog-queries';
import { CatalogService } from '@bff/modules/catalog/catalog.service';
import { loadConfig } from '@bff/modules/config/load-config';
import { OrderCreation } from '@bff/modules/orders/placing/order-creation';
import { OrderPrices } from '@bff/modules/orders/placing/order-prices';
import { type Sandbox, startSandbox } from '../../../apps/sandbox/src/sandbox.js';
import { RecordingConsumer } from './recording-consumer.js';
import { eventually } from '../../support/eventually.js';

const ORDERS = '/data/OrderChangeEvent';

describe('the clients against the sandbox', () => {
  let sandbox: Sandbox;
  let connection: SalesforceConnection;
  let client: JsforceSalesforceClient;
  let account: AccountRecord;

  beforeAll(async () => {
    sandbox = await startSandbox({ port: 0, latencyMs: 0 });
    connection = new SalesforceConnection({
      loginUrl: sandbox.url,
      clientId: 'sandbox-client',
      clientSecret: 'sandbox-secret',
    });
    client = new JsforceSalesforceClient(connection);
    const accounts = await client.query<AccountRecord>(
      soql`SELECT Id, Name, WHMCS_Client_Id__c FROM Account WHERE WHMCS_Client_Id__c != ${null} LIMIT 1`,
    );
    account = accounts[0] as AccountRecord;
  });

  afterAll(async () => {
    await sandbox.close();
  });

  it('reads every page of a query, and orders with their lines', async () => {
    const ids = await client.query<{ Id: string }>(soql`SELECT Id FROM Order`);
    expect(ids.length).toBeGreaterThan(2_000);
    expect(new Set(ids.map(({ Id }) => Id)).size).toBe(ids.length);
    const orders = await client.query<OrderRecord>(
      soql`SELECT Id, Status, (SELECT Id, OrderId FROM OrderItems) FROM Order WHERE AccountId = ${account.Id}`,
    );
    expect(orders[0]?.OrderItems?.records[0]?.OrderId).toBe(orders[0]?.Id);
    expect(await client.organizationId()).toMatch(/^00D\w{15}$/);
    expect((await client.picklist('Order', 'Status')).map(({ value }) => value)).toContain('Draft');
    expect(client.apiUsage()?.used).toBeGreaterThan(0);
  });

  it('rolls a composite back as a whole and says why', async () => {
    const order = { AccountId: account.Id, Status: 'Draft', EffectiveDate: '2026-11-20' };
    await expect(
      client.composite([
        { method: 'POST', path: '/sobjects/Order', referenceId: 'order', body: order },
        { method: 'POST', path: '/sobjects/OrderItem', referenceId: 'item', body: { No_Such_Field__c: 1 } },
      ]),
    ).rejects.toMatchObject({
      code: 'SALESFORCE_BAD_REQUEST',
      message: expect.stringContaining('because of call item'),
    });
  });

  it.each([1, 24, 25, 50])('takes an order of %i items in one request', async (count) => {
    const composites = sandbox.counts.salesforce.composites;
    const created = await creation().create(toSalesforceId(account.Id), { items: await itemsOf(count) });
    const items = await client.query<{ Id: string }>(soql`SELECT Id FROM OrderItem WHERE OrderId = ${created}`);
    expect([items.length, sandbox.counts.salesforce.composites - composites]).toEqual([count, 1]);
  });

  it('[C3] creates one order for one mark, also at once, and returns it as the back office has left it', async () => {
    const mark = { field: 'Portal_Request_Id__c', value: 'a'.repeat(32), mayBePlaced: false };
    const owner = toSalesforceId(account.Id);
    const request = { items: await itemsOf(2) };
    const created = await Promise.all([1, 2, 3].map(() => creation().create(owner, request, { mark })));
    expect(new Set(created).size).toBe(1);
    const [id = ''] = created;
    sandbox.org.update('Order', id, { Status: 'Approved', Description: 'checked' });
    expect(await creation().create(owner, request, { mark })).toBe(id);
    expect(sandbox.org.records('Order', { [mark.field]: mark.value })).toMatchObject([
      { Id: id, Status: 'Approved', Description: 'checked' },
    ]);
    expect(sandbox.org.records('OrderItem', { OrderId: id })).toHaveLength(2);
    expect(await client.field('Order', mark.field)).toEqual({ createable: true, unique: true });
    expect(await client.field('Order', 'Not_There__c')).toBeUndefined();
  });

  it('[C3] refuses the mark of an order that was deleted or moved away, and creates nothing', async () => {
    const mark = { field: 'Portal_Request_Id__c', value: 'b'.repeat(32), mayBePlaced: false };
    const other = sandbox.org.records('Account').find(({ Id }) => Id !== account.Id)?.Id ?? '';
    const request = { items: await itemsOf(1) };
    const id = await creation().create(toSalesforceId(account.Id), request, { mark });
    sandbox.org.update('Order', id, { AccountId: other });
    await expect(creation().create(toSalesforceId(account.Id), request, { mark })).rejects.toMatchObject({
      code: 'ORDER_REFUSED',
      message: expect.stringMatching(/deleted or moved; to order again, use a new key$/),
    });
    expect(sandbox.org.records('Order', { [mark.field]: mark.value })).toHaveLength(1);
  });

  it('writes nothing of an order of 50 items if one is refused', async () => {
    const count = async () => (await client.query(soql`SELECT Id FROM Order WHERE AccountId = ${account.Id}`)).length;
    const before = await count();
    const items = (await itemsOf(50)).map((item, i) =>
      i === 40 ? { ...item, quantity: 'many' as unknown as number } : item,
    );
    await expect(creation().create(toSalesforceId(account.Id), { items })).rejects.toMatchObject({
      code: 'ORDER_REFUSED',
      message: expect.stringMatching(/refused: .+; contact support and quote the request id$/),
    });
    expect(await count()).toBe(before);
  });

  function creation(): OrderCreation {
    const queries = new CatalogQueries(client);
    const catalog = new CatalogService(new CatalogCacheService(composeCache({})), queries);
    return new OrderCreation(client, catalog, new OrderPrices(client), loadConfig({ NODE_ENV: 'test' }));
  }

  async function itemsOf(count: number): Promise<{ productId: string; quantity: number }[]> {
    const [sold] = await client.query<{ Product2Id: string }>(
      soql`SELECT Product2Id FROM PricebookEntry
        WHERE IsActive = ${true} AND Product2.IsActive = ${true} AND Pricebook2.IsStandard = ${true}
        AND Product2.Region__c = ${null} LIMIT 1`,
    );
    const productId = toSalesforceId(sold?.Product2Id ?? '');
    return Array.from({ length: count }, () => ({ productId, quantity: 1 }));
  }

  it('hears of a change, resumes after a killed session and a revoked token, and hears of an overflow', async () => {
    const source = new CometdChangeEventSource(connection, { settleMs: 0, retryMinMs: 10, connectRetryMaxMs: 200 });
    const orders = new RecordingConsumer();
    const [order] = await client.query<OrderRecord>(soql`SELECT Id FROM Order WHERE AccountId = ${account.Id} LIMIT 1`);
    const change = (Description: string): void => sandbox.org.update('Order', order?.Id ?? '', { Description });
    try {
      await source.start(new Map([[ORDERS, orders]]), orders.position);
      await eventually(() => orders.log.length === 1, {
        what: 'the gap is told',
        state: () => source.health(),
        withinMs: 8_000,
      });
      change('one');
      await eventually(() => orders.events.length === 1, {
        what: 'the first change',
        state: () => source.health(),
        withinMs: 8_000,
      });
      expect(orders.events[0]).toMatchObject({
        kind: 'change',
        entityName: 'Order',
        recordIds: [order?.Id],
        scope: 'records',
      });
      sandbox.fault({ fault: 'kill-sessions' });
      change('two');
      await eventually(() => orders.events.length === 2, {
        what: 'the second change',
        state: () => source.health(),
        withinMs: 8_000,
      });
      sandbox.fault({ fault: 'revoke-tokens' });
      change('three');
      await eventually(() => orders.events.length === 3, {
        what: 'the third change',
        state: () => source.health(),
        withinMs: 8_000,
      });
      sandbox.fault({ fault: 'gap', entityName: 'Order', changeType: 'GAP_OVERFLOW', recordIds: [] });
      await eventually(() => orders.events.length === 4, {
        what: 'the overflow',
        state: () => source.health(),
        withinMs: 8_000,
      });
      expect(orders.events[3]).toMatchObject({ changeType: 'GAP_OVERFLOW', scope: 'entity', recordIds: [] });
      expect(orders.log.filter((entry) => entry === 'no-position')).toHaveLength(1);
    } finally {
      await source.stop();
    }
  });

  it('hears of a change over TLS from a server that it trusts, and from no other', async () => {
    const trusted = { rootCertificates: sandbox.certificate, endpoint: sandbox.pubSubEndpoint };
    const source = new PubSubChangeEventSource(connection, { ...trusted, settleMs: 0 });
    const wary = new PubSubChangeEventSource(connection, { endpoint: sandbox.pubSubEndpoint, settleMs: 0 });
    const orders = new RecordingConsumer();
    const [order] = await client.query<OrderRecord>(soql`SELECT Id FROM Order WHERE AccountId = ${account.Id} LIMIT 1`);
    try {
      await source.start(new Map([[ORDERS, orders]]), orders.position);
      await eventually(() => source.health()[0]?.state === 'live', { what: 'it is live', withinMs: 8_000 });
      sandbox.org.update('Order', order?.Id ?? '', { Description: 'over TLS' });
      await eventually(() => orders.events.length === 1, { what: 'the change', withinMs: 8_000 });
      await wary.start(new Map([[ORDERS, new RecordingConsumer()]]), orders.position);
      expect(wary.health()[0]).toMatchObject({ state: 'lost', lastError: expect.stringMatching(/self-signed/) });
    } finally {
      await Promise.all([source.stop(), wary.stop()]);
    }
  });

  it('reads what WHMCS bills a client', async () => {
    const credentials = { identifier: 'sandbox-identifier', secret: 'sandbox-secret' };
    const whmcs = new HttpWhmcsClient({ url: `${sandbox.url}/whmcs/includes/api.php`, pageSize: 2, ...credentials });
    const clientId = Number(account.WHMCS_Client_Id__c);
    const invoices = await whmcs.invoices(clientId);
    expect(invoices.length).toBeGreaterThan(2);
    expect(invoices.map(({ date }) => date)).toEqual(
      invoices
        .map(({ date }) => date)
        .sort()
        .reverse(),
    );
    const detail = await whmcs.invoice(clientId, invoices[0]?.id ?? 0);
    expect(detail).toMatchObject({
      ...invoices[0],
      items: expect.arrayContaining([expect.objectContaining({ id: expect.any(Number) })]),
    });
    const [service] = await whmcs.services(clientId);
    expect(await whmcs.service(clientId, service?.id ?? 0)).toEqual(service);
    expect((await whmcs.paymentMethods(clientId)).length).toBeGreaterThan(0);
    expect((await whmcs.paymentGateways()).length).toBeGreaterThan(0);
    expect(await whmcs.invoice(clientId, 999_999_999)).toBeUndefined();
  });
});
