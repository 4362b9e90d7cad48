import { CacheError } from '@bff/infra/cache/cache.errors';
import type { CacheService } from '@bff/infra/cache/cache.service';
import type { Invalidation } from '@bff/infra/cache/cache.types';
import type { Dependency } from '@bff/infra/cache/dependencies';
import type {
  EventBatch,
  GapReason,
  StartPosition,
  TopicHandler,
} from '@bff/integrations/salesforce/events/change-event-source';
import type { SourceEvent } from '@bff/integrations/salesforce/events/source-event';
import { Logger } from '@nestjs/common';
import { appliedChange, appliedChanges, type AppliedChange } from '../applied-change.js';
import type { Subscription } from '../change-subscriber.js';
import type { Reconciler } from '../reconciler/reconciler.js';

/** This process's results for the events of one topic. */
export interface TopicCounters {
  /** Events that changed nothing that is shown, such as internal fields alone. */
  readonly skipped: number;
  /** Events of objects that no subscription is for, on a shared channel. */
  readonly ignored: number;
  /** Events whose invalidation was acknowledged, counted once for each subscription that they concerned. */
  readonly invalidations: number;
  /**
   * Events for which a subscription threw, or whose invalidation kept failing, counted once for each such subscription.
   * Everything of the subscription is dropped instead.
   */
  readonly poisoned: number;
  readonly lastPoison: string | undefined;
  readonly lastCommittedReplayId: string | undefined;
  readonly lastCommittedAt: number | undefined;
}

/** Storage of a topic's position. It may reject while the store or the org is away. */
export interface TopicPosition {
  load(): Promise<string | undefined>;
  save(replayId: string): Promise<void>;
}

/** What a `TopicConsumer` reports to; either may be absent. */
export interface TopicListeners {
  /**
   * Receives the events of a batch before they are processed, and may receive the same ones again; learns of a gap when
   * everything that it could concern is dropped.
   */
  readonly reconciler?: Pick<Reconciler, 'heard' | 'gap'> | undefined;
  /**
   * Receives changes whose invalidation is acknowledged, before their position is saved. After a rejection, which would
   * be a defect, it receives the same ones again with what came since; after the third in a row it is left out.
   */
  readonly applied?: (changes: readonly AppliedChange[]) => Promise<void>;
}

/** The dependencies that one event invalidates for one subscription. */
interface StepPart {
  readonly event: SourceEvent;
  readonly dependencies: readonly Dependency[];
}

/** Events that are invalidated for one subscription in one call. */
interface Step {
  readonly subscription: Subscription;
  readonly parts: StepPart[];
  /** The dependencies of all parts, each once. */
  readonly dependencies: Set<Dependency>;
  /** Whether it was tried before; then the earlier attempt may have dropped entries. */
  isTried: boolean;
  /** How often it failed for a reason other than an unavailable store. */
  failures: number;
}

/** The work of a batch, in its order. */
interface BatchPlan {
  /** The steps that are still to be done. */
  readonly steps: Step[];
  /** Events that changed nothing that is shown. */
  readonly skipped: number;
  /** Events that no subscription is for. */
  readonly ignored: number;
}

interface BatchInHand {
  readonly batch: EventBatch;
  readonly plan: BatchPlan;
  isApplied: boolean;
}

/**
 * Maximum number of dependencies in one call to the store, unless a single event has more: enough for hundreds of
 * events, few enough for one short step of Redis.
 */
const DEPENDENCIES_OF_STEP = 1_000;

/**
 * After this many failures while the store is reachable, a step counts as poison: it would never succeed. So do, after as
 * many in a row, changes that the listeners do not take.
 */
const FAILURES_OF_POISON = 3;

/**
 * Guarantees the order invalidate → acknowledged → notified → saved for one topic: a replay id is saved only when every
 * entry that its events made wrong is gone everywhere, and the listeners know. Any failure rejects, and the source
 * delivers the batch again; a repeated event costs at most a miss. An event that can never be applied does not block
 * later ones: everything of its subscription is dropped instead.
 */
export class TopicConsumer implements TopicHandler {
  private readonly logger = new Logger(TopicConsumer.name);
  private readonly counts = { skipped: 0, ignored: 0, invalidations: 0, poisoned: 0 };
  private lastPoison: string | undefined;
  private lastCommittedReplayId: string | undefined;
  private lastCommittedAt: number | undefined;
  /** The newest batch and its remaining steps: after a failure the source delivers the same object again. */
  private inHand: BatchInHand | undefined;
  /** Changes that are acknowledged, and that the listeners have not taken yet. */
  private untold: AppliedChange[] = [];
  /** How often in a row the listeners have rejected. */
  private tellFailures = 0;

  constructor(
    private readonly topic: string,
    readonly subscriptions: readonly Subscription[],
    private readonly cache: CacheService,
    private readonly kept: TopicPosition,
    private readonly listeners: TopicListeners = {},
  ) {}

  get entities(): readonly string[] {
    return this.subscriptions.map(({ name }) => name);
  }

  counters(): TopicCounters {
    const { counts, lastPoison, lastCommittedReplayId, lastCommittedAt } = this;
    return { ...counts, lastPoison, lastCommittedReplayId, lastCommittedAt };
  }

  /** The start position: after the last event whose position was saved; without one, only new events. */
  async position(): Promise<StartPosition> {
    const saved = await this.kept.load();
    return saved === undefined ? 'latest' : { after: saved };
  }

  async onEvents(batch: EventBatch): Promise<void> {
    await this.carryOut(this.inHand?.batch === batch ? this.inHand : this.begin(batch));
    if (batch.position !== undefined && batch.position !== this.lastCommittedReplayId) {
      await this.kept.save(batch.position);
      this.lastCommittedReplayId = batch.position;
      this.lastCommittedAt = Date.now();
    }
  }

  /**
   * Events may have been missed, so every entry that they could have concerned is dropped. The domains repeat that like
   * any invalidation but count no change; the gap itself is counted in `TopicHealth.gaps`.
   */
  async onGap(reason: GapReason): Promise<void> {
    const everything = this.subscriptions.flatMap((subscription) => subscription.everything);
    const done: Invalidation[] = [];
    for (const { everything: all, domain } of this.subscriptions) {
      done.push(await this.cache.invalidate(...all));
      domain.noteInvalidated(all, 0);
    }
    const invalidation = sumOf(done);
    const { dropped } = invalidation;
    this.listeners.reconciler?.gap(this.topic);
    this.lastCommittedReplayId = undefined; // the saved position says nothing about this stream any more
    this.untold.push(appliedChange(undefined, everything, invalidation, false));
    await this.tellOfAcknowledged();
    this.logger.log(`${this.topic} is live; what came before is unknown (${reason}): ${dropped} entries dropped`);
  }

  /** Invalidates for events that were found missing. They have no position. After a rejection they may come again. */
  async repair(events: readonly SourceEvent[]): Promise<void> {
    await this.takeAll(this.plan(events).steps);
  }

  private begin(batch: EventBatch): BatchInHand {
    this.listeners.reconciler?.heard(batch.events);
    return (this.inHand = { batch, plan: this.plan(batch.events), isApplied: false });
  }

  private plan(events: readonly SourceEvent[]): BatchPlan {
    return planBatch(events, this.subscriptions, (event, { name }, error) => {
      this.poisoned(`an event (${event.replayId ?? 'without a replay id'}) that ${name} cannot read`, error);
    });
  }

  private async carryOut(inHand: BatchInHand): Promise<void> {
    const { steps, skipped, ignored } = inHand.plan;
    await this.takeAll(steps);
    if (inHand.isApplied) return;
    inHand.isApplied = true;
    this.counts.skipped += skipped;
    this.counts.ignored += ignored;
  }

  /** Takes the steps in order. A finished step leaves the list, and listeners learn of it even if a later one fails. */
  private async takeAll(steps: Step[]): Promise<void> {
    try {
      for (let step = steps[0]; step !== undefined; step = steps[0]) {
        await this.take(step);
        steps.shift();
      }
    } finally {
      await this.tellOfAcknowledged();
    }
  }

  private async take(step: Step): Promise<void> {
    const { subscription, parts, isTried } = step;
    const isPoison = step.failures >= FAILURES_OF_POISON;
    const dependencies = isPoison ? subscription.everything : [...step.dependencies];
    step.isTried = true;
    let invalidation: Invalidation;
    try {
      invalidation = await this.cache.invalidate(...dependencies);
    } catch (error) {
      if (!isStoreAway(error) && !isPoison && ++step.failures >= FAILURES_OF_POISON) {
        this.poisoned(`${parts.length} events that ${subscription.name} cannot apply`, error, parts.length);
      }
      throw error;
    }
    subscription.domain.noteInvalidated(dependencies, parts.length);
    this.counts.invalidations += parts.length;
    const acknowledged = isPoison ? [{ event: parts.at(-1)?.event as SourceEvent, dependencies }] : parts;
    this.untold.push(...appliedChanges(acknowledged, invalidation, isTried));
  }

  private poisoned(what: string, error: unknown, count = 1): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.counts.poisoned += count;
    this.lastPoison = `${what}: ${reason}`;
    this.logger.error({ err: error }, `${this.topic}: ${what}; everything that it may concern is dropped instead`);
  }

  private async tellOfAcknowledged(): Promise<void> {
    const changes = this.untold.splice(0);
    if (changes.length === 0) return;
    try {
      await this.listeners.applied?.(changes);
      this.tellFailures = 0;
    } catch (error) {
      if (++this.tellFailures < FAILURES_OF_POISON) {
        this.untold.unshift(...changes);
        throw error;
      }
      this.tellFailures = 0;
      const text = `${this.topic}: ${changes.length} changes are applied, and browsers may not hear of them`;
      this.logger.error({ err: error }, text);
    }
  }
}

/** Called when a subscription throws for an event. */
type OnPoison = (event: SourceEvent, subscription: Subscription, error: unknown) => void;

/**
 * Guarantees that every dependency that a subscription names for an event of the batch is in one of the steps. If a
 * subscription throws for an event, the steps contain everything that the subscription vouches for.
 */
function planBatch(
  events: readonly SourceEvent[],
  subscriptions: readonly Subscription[],
  onPoison: OnPoison,
): BatchPlan {
  const steps: Step[] = [];
  const open = new Map<Subscription, Step>();
  let skipped = 0;
  let ignored = 0;
  const add = (subscription: Subscription, part: StepPart): void => {
    let step = open.get(subscription);
    if (step === undefined || step.dependencies.size + part.dependencies.length > DEPENDENCIES_OF_STEP) {
      step = { subscription, parts: [], dependencies: new Set(), isTried: false, failures: 0 };
      open.set(subscription, step);
      steps.push(step);
    }
    step.parts.push(part);
    for (const dependency of part.dependencies) step.dependencies.add(dependency);
  };
  for (const event of events) {
    let isForSomebody = false;
    let isShown = false;
    for (const subscription of subscriptions) {
      const dependencies = dependenciesOf(event, subscription, onPoison);
      isForSomebody ||= dependencies !== undefined;
      if (dependencies === undefined || dependencies.length === 0) continue;
      isShown = true;
      add(subscription, { event, dependencies });
    }
    if (!isForSomebody) ignored += 1;
    else if (!isShown) skipped += 1;
  }
  return { steps, skipped, ignored };
}

function dependenciesOf(
  event: SourceEvent,
  subscription: Subscription,
  onPoison: OnPoison,
): readonly Dependency[] | undefined {
  try {
    return subscription.dependencies(event);
  } catch (error) {
    onPoison(event, subscription, error);
    return subscription.everything;
  }
}

/** The combined result of several invalidations; an entry that two of them name falls with the first. */
function sumOf(invalidations: readonly Invalidation[]): Invalidation {
  return {
    dropped: invalidations.reduce((sum, { dropped }) => sum + dropped, 0),
    keys: invalidations.flatMap(({ keys }) => keys),
    deferred: invalidations.reduce((sum, { deferred }) => sum + deferred, 0),
  };
}

/** Whether the failure passes by itself, so that the events are not to blame. */
function isStoreAway(error: unknown): boolean {
  return error instanceof CacheError && (error.retryable || error.code === 'CACHE_CLOSED');
}
