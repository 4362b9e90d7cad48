import { PubSubChangeEventSource } from '@bff/integrations/salesforce/events/pubsub-change-event-source';
import type { ChangeEvent, SourceEvent } from '@bff/integrations/salesforce/events/source-event';
import { JsforceSalesforceClient } from '@bff/integrations/salesforce/connection/jsforce-salesforce.client';
import { SalesforceConnection } from '@bff/integrations/salesforce/connection/salesforce-connection';
import { soql } from '@bff/integrations/salesforce/soql';
import { Reconciler } from '@bff/modules/change-events/reconciler/reconciler';
import type { ReconcilerOptions } from '@bff/modules/change-events/reconciler.options';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startSandbox, type Sandbox } from '../../../apps/sandbox/src/sandbox.js';
import { elapse, eventually } from '../../support/eventually.js';

const ORDERS = '/data/OrderChangeEvent';
const ACCOUNTS = '/data/AccountChangeEvent';
const PRODUCTS = '/data/Product2ChangeEvent';
/** How late an event may be on a loaded machine. */
const GRACE_MS = 1_000;
const PERIOD_MS = 1_400;

/** The reconciler queries the sandbox over REST, while a stream delivers the sandbox's events. */
describe('the reconciler against the sandbox', () => {
  let sandbox: Sandbox;
  let client: JsforceSalesforceClient;
  let source: PubSubChangeEventSource;
  let reconciler: Reconciler;
  let heard: SourceEvent[];
  let applied: ChangeEvent[];
  const positions = new Map<string, string>();
  const started: Reconciler[] = [];

  function newReconciler(options: Partial<ReconcilerOptions> = {}): Reconciler {
    const apply = (events: readonly ChangeEvent[]) => Promise.resolve(void applied.push(...events));
    const made = new Reconciler({
      tables: [
        { table: 'Order', topic: ORDERS, apply },
        { table: 'Account', topic: ACCOUNTS, apply },
      ],
      salesforce: client,
      positions: {
        load: (name) => Promise.resolve(positions.get(name)),
        save: (name, position) => Promise.resolve(void positions.set(name, position)),
      },
      periodMs: PERIOD_MS,
      graceMs: GRACE_MS,
      ...options,
    });
    started.push(made);
    return made;
  }

  /** Resolves when `count` runs of each table that began after this call have ended. */
  async function runs(count: number): Promise<void> {
    const runsOf = () => reconciler.report().tables.map((table) => table.runs);
    const before = runsOf();
    const done = () => runsOf().every((each, index) => each > (before[index] ?? 0) + count);
    await eventually(done, { what: `${count} runs`, withinMs: 20_000 });
  }

  beforeEach(async () => {
    sandbox = await startSandbox({ port: 0, latencyMs: 0 });
    sandbox.fault({ fault: 'advance-clock', ms: 60_000 });
    const { url: loginUrl, pubSubEndpoint } = sandbox;
    const connection = new SalesforceConnection({
      loginUrl,
      clientId: 'sandbox-client',
      clientSecret: 'sandbox-secret',
    });
    client = new JsforceSalesforceClient(connection);
    source = new PubSubChangeEventSource(connection, { endpoint: `http://${pubSubEndpoint}`, settleMs: 0 });
    [heard, applied] = [[], []];
    positions.clear();
    reconciler = newReconciler();
    const handlerOf = (topic: string) => ({
      onEvents: ({ events }: { events: readonly SourceEvent[] }) => {
        heard.push(...events);
        reconciler.heard(events);
        return Promise.resolve();
      },
      onGap: () => Promise.resolve(reconciler.gap(topic)),
    });
    const topics = new Map([ORDERS, ACCOUNTS, PRODUCTS].map((topic) => [topic, handlerOf(topic)]));
    await source.start(topics, () => Promise.resolve('latest'));
    await eventually(() => source.health().every(({ state }) => state === 'live'), { what: 'all topics live' });
    reconciler.start();
    await runs(1);
  });

  afterEach(async () => {
    await Promise.all(started.splice(0).map((each) => each.stop()));
    await source.stop();
    client.close();
    await sandbox.close();
  });

  const orders = () => sandbox.org.records('Order').map(({ Id }) => Id);

  it('finds a change whose event was never delivered, and leaves alone one whose event was', async () => {
    const [silent, loud] = orders() as [string, string];
    sandbox.fault({ fault: 'drop-events', count: 1, entityName: 'Order' });
    sandbox.org.update('Order', silent, { Description: 'nobody was told' });
    sandbox.org.update('Order', loud, { Description: 'everybody was told' });
    await eventually(() => applied.length > 0, { what: 'the change is found' });
    await runs(2);
    expect(applied).toEqual([
      expect.objectContaining({ changeType: 'GAP_UPDATE', entityName: 'Order', topic: ORDERS, recordIds: [silent] }),
    ]);
    expect(heard).toEqual([expect.objectContaining({ recordIds: [loud] })]);
    expect(reconciler.report()).toMatchObject({ missed: 1, rechecked: 0, wholeTables: 0, failures: 0 });
  });

  it('finds created and deleted records that no event told of, and not those that one did', async () => {
    const [kept, gone] = [1, 2].map((n) => sandbox.org.create('Account', { Name: `heard ${n}` })) as [string, string];
    await eventually(() => heard.length === 2, { what: 'both creations are heard' });
    sandbox.fault({ fault: 'hard-delete', entityName: 'Account', recordId: gone });
    sandbox.org.delete('Account', kept);
    sandbox.fault({ fault: 'drop-events', count: 1, entityName: 'Account' });
    const silent = sandbox.org.create('Account', { Name: 'silent' });
    await eventually(() => applied.length === 2, { what: 'both are found' });
    await runs(2);
    expect(applied.map(({ changeType, recordIds }) => [changeType, recordIds])).toEqual([
      ['GAP_DELETE', [gone]],
      ['GAP_UPDATE', [silent]],
    ]);
    expect(reconciler.report().missed).toBe(2);
  });

  describe('of what decides which lists a record is in', () => {
    const decisive = { Order: ['AccountId'], Product2: ['Family', 'IsActive', 'Region__c'] };
    /** Moves the org's clock, so that a lost and a delivered change are more than a second apart. */
    const secondPasses = () => void sandbox.fault({ fault: 'advance-clock', ms: 2_000 });

    beforeEach(async () => {
      await reconciler.stop();
      positions.clear();
      const apply = (events: readonly ChangeEvent[]) => Promise.resolve(void applied.push(...events));
      reconciler = newReconciler({
        tables: [
          { table: 'Order', topic: ORDERS, listFields: decisive.Order, apply },
          { table: 'Product2', topic: PRODUCTS, listFields: decisive.Product2, apply },
        ],
      });
      reconciler.start();
      await runs(1);
      secondPasses();
    });

    /** Creates an order, which is thus recent enough for the reconciler to know its values. */
    async function newOrder(): Promise<{ id: string; from: string; to: string }> {
      const [from, to] = sandbox.org.records('Account').map(({ Id }) => Id) as [string, string];
      const { EffectiveDate, Pricebook2Id } = sandbox.org.records('Order')[0] as Record<string, unknown>;
      const order = { AccountId: from, Status: 'Draft', EffectiveDate, Pricebook2Id };
      const id = sandbox.org.create('Order', order);
      await eventually(() => heard.length === 1, { what: 'the creation is heard' });
      secondPasses();
      return { id, from, to };
    }

    it.each([true, false])(
      'finds a lost move, though a later change was heard; not one that was not lost (%j)',
      async (isLost) => {
        const { id, to } = await newOrder();
        if (isLost) sandbox.fault({ fault: 'drop-events', count: 1, entityName: 'Order' });
        sandbox.org.update('Order', id, { AccountId: to });
        secondPasses();
        sandbox.org.update('Order', id, { Description: 'everybody was told of this' });
        await eventually(() => heard.length === (isLost ? 2 : 3), { what: 'what is not lost is heard' });
        if (isLost) await eventually(() => applied.length > 0, { what: 'the move is found', withinMs: 2 * PERIOD_MS });
        await runs(2);
        const found = {
          changeType: 'UPDATE',
          recordIds: [id],
          changedFields: ['AccountId'],
          fields: { AccountId: to },
        };
        expect(applied).toEqual(isLost ? [expect.objectContaining(found)] : []);
        expect(reconciler.report()).toMatchObject({ missed: isLost ? 1 : 0, rechecked: 0 });
      },
    );

    it('finds that a product has come to another category', async () => {
      const [{ Id }] = sandbox.org.records('Product2').filter(({ Family }) => Family === 'SIM') as [{ Id: string }];
      sandbox.fault({ fault: 'drop-events', count: 1, entityName: 'Product2' });
      sandbox.org.update('Product2', Id, { Family: 'Voice' });
      secondPasses();
      sandbox.org.update('Product2', Id, { Description: 'everybody was told of this' });
      await eventually(() => applied.length > 0, { what: 'the move is found', withinMs: 2 * PERIOD_MS });
      await runs(2);
      expect(heard).toEqual([expect.objectContaining({ changedFields: expect.arrayContaining(['Description']) })]);
      expect(applied).toEqual([
        expect.objectContaining({
          changeType: 'UPDATE',
          recordIds: [Id],
          changedFields: decisive.Product2,
          fields: expect.objectContaining({ Family: 'Voice', IsActive: true }),
        }),
      ]);
      expect(reconciler.report()).toMatchObject({ missed: 1, rechecked: 0 });
    });

    it('leaves alone what was settled when it began, and changed in another way', async () => {
      const [order] = sandbox.org.records('Order') as [{ Id: string }];
      const [product] = sandbox.org.records('Product2') as [{ Id: string }];
      sandbox.org.update('Order', order.Id, { Description: 'everybody was told of this' });
      sandbox.org.update('Product2', product.Id, { Description: 'and of this' });
      await runs(2);
      expect([heard.length, applied]).toEqual([2, []]);
    });
  });

  it('waits for an event that is late', async () => {
    sandbox.fault({ fault: 'delay-events', ms: GRACE_MS / 4 });
    // Runs begin at any time, so some of these changes are seen before their event arrives.
    for (const id of orders().slice(0, 20)) {
      sandbox.org.update('Order', id, { Description: 'told in a moment' });
      await elapse(GRACE_MS / 20);
    }
    await runs(2);
    expect([heard.length, applied.length]).toEqual([20, 0]);
  });

  it('finds in another process what changed while nobody listened, and does not call it missed', async () => {
    await reconciler.stop();
    await source.stop();
    const [changed] = orders() as [string];
    sandbox.org.update('Order', changed, { Description: 'nobody listened' });
    reconciler = newReconciler();
    reconciler.start();
    await eventually(() => applied.length > 0, { what: 'the change is found' });
    expect(applied).toEqual([expect.objectContaining({ recordIds: [changed] })]);
    await runs(1);
    expect(reconciler.report()).toMatchObject({ missed: 0, rechecked: 1 });
  });

  it('drops the whole table when more has changed than it looks at, and goes on', async () => {
    await reconciler.stop();
    reconciler = newReconciler({ rowsMax: 50 });
    sandbox.fault({ fault: 'drop-events', count: 60 });
    sandbox.fault({ fault: 'burst', entityName: 'Order', count: 60 });
    reconciler.start();
    await eventually(() => reconciler.report().wholeTables === 1, { what: 'the table is dropped' });
    await runs(2);
    expect(applied).toEqual([expect.objectContaining({ changeType: 'GAP_OVERFLOW', scope: 'entity' })]);
    sandbox.fault({ fault: 'drop-events', count: 1 });
    sandbox.org.update('Order', orders()[70] as string, { Description: 'one more' });
    await eventually(() => applied.length === 2, { what: 'the next change is found' });
    expect(reconciler.report()).toMatchObject({ missed: 1, wholeTables: 1 });
  });

  it('counts every API request that it makes, pages included', async () => {
    await reconciler.stop();
    positions.set('Order', '2000-01-01T00:00:00.000Z');
    const before = sandbox.counts.salesforce.queries;
    reconciler = newReconciler({ periodMs: 60_000, graceMs: 0 });
    reconciler.start();
    await eventually(() => reconciler.report().lastRunAt !== undefined, { what: 'a run of both' });
    const { apiCalls, tables } = reconciler.report();
    expect(orders().length).toBeGreaterThan(2_000);
    expect(tables.map((table) => table.apiCalls)).toEqual([Math.ceil(orders().length / 2_000), 1]);
    expect(apiCalls).toBe(sandbox.counts.salesforce.queries - before);
  });

  it('goes on after Salesforce refused, and finds what was lost meanwhile', async () => {
    sandbox.fault({ fault: 'refuse', target: 'rest', error: 'request-limit', count: 2 });
    sandbox.fault({ fault: 'drop-events', count: 1 });
    sandbox.org.update('Order', orders()[0] as string, { Description: 'nobody was told' });
    await eventually(() => applied.length === 1, { what: 'the change is found', withinMs: 10_000 });
    expect(reconciler.report().missed).toBe(1);
  });

  it('says why it cannot look at an object that the user may not read', async () => {
    sandbox.fault({ fault: 'permission', entityName: 'Account', canRead: false, canViewAll: false });
    const account = () => reconciler.report().tables.find(({ table }) => table === 'Account');
    await eventually(() => (account()?.failures ?? 0) > 0, { what: 'the refusal' });
    expect(account()?.lastError).toContain('INVALID_TYPE');
    expect(reconciler.report().tables[0]).toMatchObject({ table: 'Order', failures: 0 });
  });
});

describe('a query for deleted records', () => {
  it('finds those in the recycle bin only when asked for, page by page', async () => {
    const sandbox = await startSandbox({ port: 0, latencyMs: 0 });
    try {
      const credentials = { clientId: 'sandbox-client', clientSecret: 'sandbox-secret' };
      const client = new JsforceSalesforceClient(new SalesforceConnection({ loginUrl: sandbox.url, ...credentials }));
      const id = sandbox.org.create('Account', { Name: 'gone' });
      sandbox.org.delete('Account', id);
      const query = soql`SELECT Id, IsDeleted FROM Account WHERE Name = ${'gone'}`;
      expect(await client.query(query)).toEqual([]);
      expect(await client.query(query, { includeDeleted: true })).toEqual([
        expect.objectContaining({ Id: id, IsDeleted: true }),
      ]);
      let requests = 0;
      const all = await client.query(soql`SELECT Id FROM Order`, {
        includeDeleted: true,
        onRequest: () => (requests += 1),
      });
      expect([all.length, requests]).toEqual([sandbox.org.records('Order').length, Math.ceil(all.length / 2_000)]);
    } finally {
      await sandbox.close();
    }
  });
});
