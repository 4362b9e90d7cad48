import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { SourceEvent } from '@bff/integrations/salesforce/events/source-event';
import { RecordingConsumer } from '../integration/integrations/recording-consumer.js';
import { eventually } from '../support/eventually.js';
import { ALL_CHANGES, EventSourceLab, type Transport } from './change-event-source/lab.js';
import { COMETD, PUBSUB } from './change-event-source/transports.js';

const ELIGIBILITY = '/event/Account_Eligibility_Update__e';

describe('both transports', () => {
  let lab: EventSourceLab;
  beforeAll(async () => {
    lab = await EventSourceLab.open(PUBSUB);
  });
  afterEach(() => lab.clear());
  afterAll(() => lab.close());

  /** The event in one form for both transports: without replay id, dates as `Date`, names of changed fields sorted. */
  function common(event: SourceEvent): unknown {
    const { replayId, ...rest } = event;
    expect(replayId).toMatch(/./);
    if (rest.kind === 'undecodable') return rest;
    const fields = Object.fromEntries(
      Object.entries(rest.fields).map(([name, value]) => [
        name,
        /Date$/.test(name) ? new Date(value as string) : value,
      ]),
    );
    return rest.kind === 'platform'
      ? { ...rest, fields }
      : { ...rest, fields, changedFields: rest.changedFields?.toSorted() };
  }

  it('bring the same events of everything that the org does', async () => {
    const { org } = lab.sandbox;
    const listen = async ({ create }: Transport) => {
      const source = lab.source({}, create);
      const consumer = new RecordingConsumer();
      const topics = new Map([ALL_CHANGES, ELIGIBILITY].map((topic) => [topic, consumer]));
      await source.start(topics, () => Promise.resolve('latest'));
      await eventually(() => source.health().every(({ state }) => state === 'live'), {
        what: 'it is live',
        withinMs: 8_000,
      });
      return [consumer, source] as const;
    };
    const [[overCometd, cometd], [overPubSub, pubSub]] = [await listen(COMETD), await listen(PUBSUB)];
    const { tip } = lab.sandbox.events;
    const [account] = org.records('Account');
    const order = org.create('Order', { AccountId: account?.Id, EffectiveDate: '2026-01-01', Status: 'Draft' });
    const [item] = org.records('OrderItem');
    const [entry] = org.records('PricebookEntry');
    org.update('Order', order, { BillingCity: 'Kyoto', Description: 'x' });
    org.update('Order', order, { BillingCity: null, Description: null });
    org.update('OrderItem', item?.Id as string, { Quantity: 7 });
    org.update('PricebookEntry', entry?.Id as string, { UnitPrice: 12.5, IsActive: false });
    org.update('Product2', entry?.['Product2Id'] as string, { Name: 'Renamed' });
    org.delete('Order', order);
    org.undelete('Order', order);
    lab.sandbox.fault({ fault: 'burst', entityName: 'Order', count: 200, recordsPerTransaction: 50 });
    lab.sandbox.fault({ fault: 'gap', entityName: 'Order', changeType: 'GAP_OVERFLOW' });
    lab.sandbox.fault({ fault: 'gap', entityName: 'Product2', changeType: 'UPDATE', recordIds: ['01t*'] });
    org.create('Account_Eligibility_Update__e', { Account_Id__c: account?.Id });
    const published = lab.sandbox.events.after(tip, 1_000).length;
    expect(published).toBeGreaterThan(200);
    const kinds = (consumer: RecordingConsumer) =>
      ['change', 'platform'].map((kind) => consumer.events.filter((event) => event.kind === kind).map(common));
    await eventually(() => [overCometd, overPubSub].every(({ events }) => events.length >= published), {
      what: 'both have brought everything',
      state: () => [cometd.health(), pubSub.health()],
      withinMs: 8_000,
    });
    expect(kinds(overPubSub)).toEqual(kinds(overCometd));
    expect(kinds(overPubSub).flat()).toHaveLength(published);
  });
});
