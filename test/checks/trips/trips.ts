import { CacheService } from '@bff/infra/cache/cache.service';
import { composeCache } from '@bff/infra/cache/create-cache';
import { record } from '@bff/infra/cache/dependencies';
import { DomainCache } from '@bff/infra/cache/domain-cache';
import { changeDriven } from '@bff/infra/cache/strategies';
import { createFleet } from '@bff/infra/fleet/create-fleet';
import { loadConfig } from '@bff/modules/config/load-config';
import { createRedisClient, type RedisClient } from '@bff/infra/redis/redis-client';
import { SalesforceConnection } from '@bff/integrations/salesforce/connection/salesforce-connection';
import { PubSubChangeEventSource } from '@bff/integrations/salesforce/events/pubsub-change-event-source';
import { TopicStream } from '@bff/integrations/salesforce/events/pubsub/topic-stream';
import type { SalesforceClient } from '@bff/integrations/salesforce/salesforce.client';
import { ChangeEventConsumer } from '@bff/modules/change-events/consuming/change-event-consumer';
import { OrderCdcSubscriber } from '@bff/modules/orders/order-cdc.subscriber';
import { OrdersCacheService } from '@bff/modules/orders/orders-cache.service';
import type { DiscoveryService } from '@nestjs/core';
import { Logger } from '@nestjs/common';
import { startSandbox } from '../../../apps/sandbox/src/sandbox.js';
import { elapse, eventually } from '../../support/eventually.js';
import { startRedisServer } from '../../support/redis/redis-server.js';
import { traced, within, type Trip } from './trace.js';

/** The name of a trip, and its files. */
type MeasuredTrip = readonly [name: string, files: readonly string[]];

/** How long to wait until an L1 has its first lease, and the feeds were looked at. */
const LEASED_MS = 1_500;
/** How long the stream may take to be live, and a change to be applied. */
const LIVE_MS = 30_000;
/** How long to wait until everything that follows an acknowledgement has ended. */
const SETTLED_MS = 100;

type Take = (response: { readonly events: readonly unknown[] }) => Promise<void>;

class Things extends DomainCache {
  readonly byId = this.bucket<string>('byId', { strategy: changeDriven({ toldBy: 'Thing' }) });

  constructor(cache: CacheService) {
    super('things', cache);
  }
}

/**
 * The trips of caches with and without an L1 on a private Redis. Reads of other keys come first, and of three changes
 * the last one counts, so that no trip shows what happens only once in a process.
 */
export async function measureTrips(): Promise<MeasuredTrip[]> {
  Logger.overrideLogger(false);
  const server = await startRedisServer();
  const clients: RedisClient[] = [];
  const connect = () => {
    const redis = createRedisClient({ url: server.url });
    clients.push(redis);
    return redis;
  };
  try {
    const reads = await readTrips(connect);
    return [...reads, await changeTrip(connect)];
  } finally {
    for (const redis of clients) redis.disconnect();
    await server.stop();
  }
}

async function readTrips(connect: () => RedisClient): Promise<MeasuredTrip[]> {
  const open = async (l1: 'off' | 'strict') => {
    const place = { redis: connect(), appName: `reads-${l1}` };
    const { leases } = createFleet(place);
    const cache = composeCache({ ...place, l1, feedLostMaxAgeSeconds: 60, feedAges: leases });
    await cache.open();
    const term = await leases.acquire('a worker', 'this one', 60_000);
    if (term) await leases.renew(term, 60_000, new Map([['Thing', 0]])); // the feed is followed: entries are trusted
    const things = new Things(cache);
    return { cache, things };
  };
  const strict = await open('strict');
  const reader = await open('strict');
  const bare = await open('off');
  const fetcher = async ({ dependsOn }: { dependsOn: (d: ReturnType<typeof record>) => void }) => {
    dependsOn(record('Thing', '1'));
    return 'a value';
  };
  const read = ({ things }: typeof strict, id: string) => things.byId.get([id], fetcher);
  await elapse(LEASED_MS);
  for (const id of ['warm', 'other', 'hit', 'first', 'second']) await read(strict, id);
  for (const id of ['warm', 'other', 'hit']) await read(bare, id);
  await read(reader, 'first');
  await elapse(LEASED_MS);
  const trips: MeasuredTrip[] = [
    ['L1 hit', await traced(() => read(strict, 'hit'))],
    ['L2 hit', await traced(() => read(bare, 'hit'))],
    ['L2 hit that the L1 keeps', await traced(() => read(reader, 'second'))],
    ['miss', await traced(() => read(strict, 'missing'))],
  ];
  for (const { cache } of [strict, reader, bare]) await cache.close();
  return trips;
}

async function changeTrip(connect: () => RedisClient): Promise<MeasuredTrip> {
  const sandbox = await startSandbox({ port: 0, grpcPort: 0 });
  const place = { redis: connect(), appName: 'change' };
  const { checkpoints, leases, reports } = createFleet(place);
  const cache = composeCache({ ...place, reports });
  await cache.open();
  const connection = new SalesforceConnection({
    loginUrl: sandbox.url,
    clientId: 'sandbox-client',
    clientSecret: 'sandbox-secret',
  });
  const source = new PubSubChangeEventSource(connection, { endpoint: `http://${sandbox.pubSubEndpoint}`, settleMs: 0 });
  const config = loadConfig({ NODE_ENV: 'test', SF_RECONCILE_SECONDS: '0' });
  const subscriber = new OrderCdcSubscriber(new OrdersCacheService(cache), config);
  const consumer = new ChangeEventConsumer(
    { getProviders: () => [{ instance: subscriber }] } as unknown as DiscoveryService,
    source,
    { organizationId: async () => '00D000000000001AAA' } as unknown as SalesforceClient,
    cache,
    checkpoints,
    leases,
    reports,
    config,
  );
  consumer.onApplicationBootstrap();
  const isLive = () => source.health().some(({ topic, state }) => topic.includes('OrderChange') && state === 'live');
  await eventually(isLive, { withinMs: LIVE_MS, what: 'a live stream of orders' });
  await elapse(LEASED_MS);
  let trip: Trip = new Set();
  let acknowledged: readonly string[] = [];
  let done = (): unknown => undefined;
  const { take } = TopicStream.prototype as unknown as { take: Take };
  Object.assign(TopicStream.prototype, {
    take(this: TopicStream, response: Parameters<Take>[0]) {
      return response.events.length === 0 ? take.call(this, response) : within(trip, () => take.call(this, response));
    },
  });
  const { noteInvalidated } = DomainCache.prototype;
  DomainCache.prototype.noteInvalidated = function (...given) {
    acknowledged = [...trip]; // it is called when the invalidation is acknowledged
    noteInvalidated.call(this, ...given);
    done();
  };
  const [order] = sandbox.org.records('Order') as unknown as [{ Id: string }];
  for (const Status of ['Activated', 'Draft', 'Activated']) {
    trip = new Set();
    let isApplied = false;
    done = () => (isApplied = true);
    sandbox.org.update('Order', order.Id, { Status });
    await eventually(() => isApplied, { withinMs: LIVE_MS, what: 'an applied change' });
    await elapse(SETTLED_MS);
  }
  await consumer.onModuleDestroy();
  await cache.close();
  await reports.close();
  await sandbox.close();
  return ['message to acknowledged', acknowledged];
}
