import type { CacheService } from '@bff/infra/cache/cache.service';
import type { Checkpoints } from '@bff/infra/cache/checkpoints';
import type { Dependency } from '@bff/infra/cache/dependencies';
import type { EventBatch, StartPosition, TopicHandler } from '@bff/integrations/salesforce/events/change-event-source';
import type { SourceEvent } from '@bff/integrations/salesforce/events/source-event';
import { Logger } from '@nestjs/common';
import { appliedChange, type AppliedChange } from './applied-change.js';
import type { Subscription } from './change-subscriber.js';

/** What became of the events of one topic in this process. */
export interface TopicCounters {
  /** Events that changed only internal fields. */
  readonly skipped: number;
  /** Events of objects that nobody listens for, on a shared channel. */
  readonly ignored: number;
  readonly invalidations: number;
  readonly lastCommittedReplayId: string | undefined;
  readonly lastCommittedAt: number | undefined;
}

/** How far the event in hand has come; what was done for it is not done, and not counted, again when it is retried. */
interface EventInHand {
  readonly event: SourceEvent;
  readonly asked: Set<Subscription>;
  readonly acknowledged: Set<Subscription>;
}

/**
 * Guarantees the order invalidate → acknowledged → told → commit for one topic: a replay id is saved only when every entry
 * that the event made wrong is gone everywhere, and its listeners have been told. Whatever fails rejects, and the source
 * brings the event again; an event that comes twice costs a miss at most.
 */
export class TopicConsumer implements TopicHandler {
  private readonly logger = new Logger(TopicConsumer.name);
  private skipped = 0;
  private ignored = 0;
  private invalidations = 0;
  private lastCommittedReplayId: string | undefined;
  private lastCommittedAt: number | undefined;
  private inHand: EventInHand | undefined;
  /** How many events of the newest batch are done: it comes again, as the same object, when one of them was not. */
  private progress: { readonly batch: EventBatch; done: number } | undefined;
  /** Acknowledged, and nobody was told of it yet. */
  private untold: AppliedChange[] = [];

  constructor(
    private readonly topic: string,
    readonly subscriptions: readonly Subscription[],
    private readonly cache: CacheService,
    private readonly checkpoints: Checkpoints,
    /** The name of this topic's checkpoint; it may reject while the org cannot be asked who it is. */
    private readonly checkpointName: () => Promise<string>,
    /** Tells of changes that are acknowledged. It does not reject. */
    private readonly tell: (changes: readonly AppliedChange[]) => Promise<void> = () => Promise.resolve(),
  ) {}

  get entities(): readonly string[] {
    return this.subscriptions.map(({ name }) => name);
  }

  counters(): TopicCounters {
    const { skipped, ignored, invalidations, lastCommittedReplayId, lastCommittedAt } = this;
    return { skipped, ignored, invalidations, lastCommittedReplayId, lastCommittedAt };
  }

  /** Where to begin: after the last event whose invalidation was acknowledged. */
  async position(): Promise<StartPosition> {
    const saved = await this.checkpoints.load(await this.checkpointName());
    return saved === undefined ? 'latest' : { after: saved };
  }

  async onEvents(batch: EventBatch): Promise<void> {
    if (this.progress?.batch !== batch) this.progress = { batch, done: 0 };
    const { progress } = this;
    try {
      for (const event of batch.events.slice(progress.done)) {
        await this.apply(event);
        progress.done += 1;
      }
    } finally {
      await this.tellOfAcknowledged();
    }
    if (batch.position !== undefined) await this.commit(batch.position);
  }

  /**
   * Events may have been missed, so every entry that one of them could have concerned is dropped. It is no invalidation by
   * a domain, and the domains' counters do not show it; the topic's `gaps` do.
   */
  async onGap(reason: 'no-position' | 'position-expired'): Promise<void> {
    const everything = this.subscriptions.flatMap((subscription) => subscription.everything);
    const invalidation = await this.cache.invalidate(...everything);
    const { dropped } = invalidation;
    this.untold.push(appliedChange(undefined, everything, invalidation, false));
    await this.tellOfAcknowledged();
    this.logger.log(`${this.topic} is live; what came before is unknown (${reason}): ${dropped} entries dropped`);
  }

  private async apply(event: SourceEvent): Promise<void> {
    if (this.inHand?.event !== event) this.inHand = { event, asked: new Set(), acknowledged: new Set() };
    const hand = this.inHand;
    let isForSomebody = false;
    for (const subscription of this.subscriptions) {
      const dependencies = subscription.dependencies(event);
      if (dependencies === undefined) continue;
      isForSomebody = true;
      if (dependencies.length === 0 || hand.acknowledged.has(subscription)) continue;
      await this.invalidate(subscription, dependencies, hand);
    }
    // Counted when done, so that a retried event counts once.
    if (!isForSomebody) this.ignored += 1;
    else if (hand.acknowledged.size === 0) this.skipped += 1;
    this.inHand = undefined;
  }

  /** Through the subscription, whose domain counts the call; a retry goes past it, so that one event counts once (P23). */
  private async invalidate(
    subscription: Subscription,
    dependencies: readonly Dependency[],
    { event, asked, acknowledged }: EventInHand,
  ): Promise<void> {
    const isRetried = asked.has(subscription);
    asked.add(subscription);
    const invalidation = isRetried
      ? await this.cache.invalidate(...dependencies)
      : await subscription.invalidate(dependencies);
    this.untold.push(appliedChange(event, dependencies, invalidation, isRetried));
    acknowledged.add(subscription);
    this.invalidations += 1;
  }

  private async tellOfAcknowledged(): Promise<void> {
    if (this.untold.length > 0) await this.tell(this.untold.splice(0));
  }

  private async commit(replayId: string): Promise<void> {
    await this.checkpoints.save(await this.checkpointName(), replayId);
    this.lastCommittedReplayId = replayId;
    this.lastCommittedAt = Date.now();
  }
}
