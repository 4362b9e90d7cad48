import type { CacheService } from '@bff/infra/cache/cache.service';
import { composeCache } from '@bff/infra/cache/create-cache';
import { record } from '@bff/infra/cache/dependencies';
import { createFleet, type Fleet } from '@bff/infra/fleet/create-fleet';
import { loadConfig } from '@bff/modules/config/load-config';
import type { NoticeBoard } from '@bff/infra/notices/notice-board';
import { RedisNoticeBoard } from '@bff/infra/notices/redis/redis-notice-board';
import { createRedisClient, type RedisClient } from '@bff/infra/redis/redis-client';
import type { EventBatch, TopicHandler } from '@bff/integrations/salesforce/events/change-event-source';
import type { SourceEvent } from '@bff/integrations/salesforce/events/source-event';
import { StreamJournal } from '@bff/integrations/salesforce/events/delivery/stream-journal';
import { resolveStreamOptions } from '@bff/integrations/salesforce/events/stream.options';
import { TopicDelivery } from '@bff/integrations/salesforce/events/delivery/topic-delivery';
import { toSalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import { Announced } from '@bff/modules/change-events/consuming/announced';
import type { AppliedChange } from '@bff/modules/change-events/applied-change';
import { TopicConsumer } from '@bff/modules/change-events/consuming/topic-consumer';
import { Notifications } from '@bff/modules/notifications/notifications.service';
import { OrderCdcSubscriber } from '@bff/modules/orders/order-cdc.subscriber';
import { OrderNotices } from '@bff/modules/orders/order-notices';
import { OrdersCacheService } from '@bff/modules/orders/orders-cache.service';

export const ORDERS = '/data/OrderChangeEvent';
/**
 * The name of the application, which `evergreen.ts` also uses for a cache with an L1. So invalidations here wait for
 * the L1's lease of that cache.
 */
const APP_NAME = 'bench-tiered';
const CONSUMER = 'salesforce-events';
/**
 * How long `settle` invalidates: longer than the lease of an L1. In the first second of a history, invalidations wait
 * for L1s that may have leases from before it.
 */
const SETTLED_MS = 1_200;

/**
 * A worker's handling of the events of one topic, composed without Nest: delivery in batches, the rules of orders,
 * acknowledged invalidation, notices, and positions saved under a term.
 */
export class ChangeEventPipeline implements TopicHandler {
  /** Number of events that were applied and committed. */
  applied = 0;
  /** Called after each batch. */
  onApplied: () => void = () => undefined;
  /** Whether applied changes are posted as notices for browsers. */
  tellsBrowsers = false;

  private constructor(
    readonly consumer: TopicConsumer,
    private readonly cache: CacheService,
    private readonly fleet: Fleet,
    private readonly redis: RedisClient,
    private readonly board: NoticeBoard,
    private readonly notices: OrderNotices,
  ) {}

  static async open(redisUrl: string): Promise<ChangeEventPipeline> {
    const redis = createRedisClient({ url: redisUrl, commandTimeoutMs: 10_000 });
    const fleet = createFleet({ redis, appName: APP_NAME });
    const { checkpoints, leases, reports } = fleet;
    const cache = composeCache({ redis, appName: APP_NAME, reports });
    await cache.open();
    const orders = new OrdersCacheService(cache);
    const [ofOrders] = new OrderCdcSubscriber(orders, loadConfig({ NODE_ENV: 'test' })).subscriptions;
    if (ofOrders?.topic !== ORDERS) throw new Error(`the first subscription of orders is not ${ORDERS}`);
    const term = await leases.acquire(CONSUMER, 'bench', 3_600_000);
    if (term === undefined) throw new Error('somebody else consumes');
    const position = {
      load: () => checkpoints.load('bench'),
      save: (replayId: string) => checkpoints.save('bench', replayId, term),
    };
    const board = new RedisNoticeBoard(redis, APP_NAME);
    const notices = new OrderNotices(orders, new Notifications(board));
    const applied = (changes: readonly AppliedChange[]): Promise<void> => pipeline.tell(changes);
    const announced = new Announced(); // remembers the events, as a worker's reconciler does
    const reconciler = {
      heard: (events: readonly SourceEvent[]): void => announced.heard(events),
      gap: (): void => undefined,
    };
    const consumer = new TopicConsumer(ORDERS, [ofOrders], cache, position, { reconciler, applied });
    const pipeline: ChangeEventPipeline = new ChangeEventPipeline(consumer, cache, fleet, redis, board, notices);
    await pipeline.settle();
    return pipeline;
  }

  get entities(): readonly string[] {
    return this.consumer.entities;
  }

  async onEvents(batch: EventBatch): Promise<void> {
    await this.consumer.onEvents(batch);
    this.applied += batch.events.length;
    this.onApplied();
  }

  onGap(reason: 'no-position' | 'position-expired'): Promise<void> {
    return this.consumer.onGap(reason);
  }

  /**
   * Applies the events. Resolves when all are applied and committed, with the largest number that waited. All events
   * are ready, and the next is offered as soon as there is room.
   */
  async apply(events: Iterable<SourceEvent>): Promise<number> {
    const delivery = new TopicDelivery(ORDERS, 'bench', this, resolveStreamOptions({}), new StreamJournal(silent));
    let room = (): void => undefined;
    delivery.onTaken = () => room();
    let most = 0;
    for (const event of events) {
      while (!delivery.offer(event)) {
        most = Math.max(most, delivery.waiting);
        await new Promise<void>((resolve) => (room = resolve));
      }
    }
    await delivery.drained();
    return Math.max(most, delivery.waiting);
  }

  /**
   * Stores an entry for each of the first `count` orders. Each depends on the record of its order.
   */
  async fill(count: number): Promise<void> {
    let next = 0;
    const filler = async () => {
      for (let i = next++; i < count; i = next++) {
        const id = orderId(i);
        await this.cache.getOrSet(entryOf(i), async () => ({ id, text: 'v'.repeat(180) }), {
          dependsOn: [record('Order', id)],
        });
      }
    };
    await Promise.all(Array.from({ length: 64 }, filler));
  }

  /** The share of the entries of `fill` that is still served, by a sample of a hundred. */
  async keptOf(count: number): Promise<number> {
    const looked = Array.from({ length: 100 }, (_, i) => entryOf(Math.floor((i * count) / 100)));
    const answers = await Promise.all(looked.map((key) => this.cache.status(key)));
    return answers.filter((status) => status === 'exists').length / looked.length;
  }

  async close(): Promise<void> {
    await this.board.close();
    await this.cache.close();
    await this.fleet.reports.close();
    this.redis.disconnect();
  }

  private async tell(changes: readonly AppliedChange[]): Promise<void> {
    if (this.tellsBrowsers) await this.notices.onApplied(changes);
  }

  private async settle(): Promise<void> {
    for (const until = performance.now() + SETTLED_MS; performance.now() < until;) {
      await this.cache.invalidate(record('Order', orderId(0)));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** Updates of a visible field, one per order, beginning with order `first`. */
export function* updates(count: number, first = 0): Generator<SourceEvent> {
  for (let i = 0; i < count; i++) {
    const n = first + i;
    yield {
      kind: 'change',
      topic: ORDERS,
      replayId: String(n).padStart(12, '0'),
      entityName: 'Order',
      recordIds: [orderId(n)],
      scope: 'records',
      changeType: 'UPDATE',
      changedFields: ['Status', 'LastModifiedDate'],
      commitTimestamp: 1_700_000_000_000,
      transactionKey: `0000-${n}`,
      sequenceNumber: 1,
      fields: { Status: 'Activated', LastModifiedDate: 1_700_000_000_000 },
    };
  }
}

export function orderId(i: number) {
  return toSalesforceId(`801${String(i).padStart(12, '0')}`);
}

function entryOf(i: number): string {
  return `orders:detail:${accountId(i)}:${orderId(i)}`;
}

/** Each account has a hundred orders. */
function accountId(i: number) {
  return toSalesforceId(`001${String(Math.floor(i / 100)).padStart(12, '0')}`);
}

function silent(): void {}
