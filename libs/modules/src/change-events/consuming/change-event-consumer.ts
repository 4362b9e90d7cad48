import { TermOverError } from '@bff/infra/cache/cache.errors';
import { CacheService } from '@bff/infra/cache/cache.service';
import { Checkpoints } from '@bff/infra/fleet/checkpoints';
import { ConsumerLeases } from '@bff/infra/fleet/consumer-leases';
import { ProcessReports } from '@bff/infra/fleet/process-reports';
import { APP_CONFIG } from '@bff/infra/config/application-config';
import type { AppConfig } from '../../config/app-config.js';
import { ChangeEventSource, unheardTopic } from '@bff/integrations/salesforce/events/change-event-source';
import type { ChangeEvent } from '@bff/integrations/salesforce/events/source-event';
import { streamLog } from '@bff/integrations/salesforce/events/stream-log';
import { SalesforceClient } from '@bff/integrations/salesforce/salesforce.client';
import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { ActiveConsumer } from './active-consumer.js';
import { AppliedChangeListener, type AppliedChange } from '../applied-change.js';
import { ChangeSubscriber, type Subscription } from '../change-subscriber.js';
import { CONSUMER, CONSUMER_TOPIC, type ConsumerReport } from '../events-report.js';
import {
  addCountedTopic,
  countedTables,
  EVENTS_COUNTED_TOPIC,
  type CountedEvents,
  type CountedTopic,
} from '../events-counters.js';
import { changeDrivenMaxAgeSeconds } from '../max-age.js';
import { Reconciler } from '../reconciler/reconciler.js';
import type { WatchedTable } from '../reconciler.options.js';
import { TopicConsumer, type TopicPosition } from './topic-consumer.js';

/** How far behind a topic may be and still count as caught up: it delivers changes as they happen. */
const CAUGHT_UP_MS = 1_000;

/**
 * Delivers Salesforce's change events to every `ChangeSubscriber` of this application while this process is the active
 * consumer, and reports its state on the process board. With events switched off it subscribes to nothing.
 */
@Injectable()
export class ChangeEventConsumer implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(ChangeEventConsumer.name);
  private readonly topics = new Map<string, TopicConsumer>();
  private readonly active: ActiveConsumer;
  /** What the source has counted in earlier terms of this process, by topic. */
  private readonly beforeThisTerm = new Map<string, CountedTopic>();
  private reconciler: Reconciler | undefined;
  private organizationId: string | undefined;

  constructor(
    private readonly discovery: DiscoveryService,
    @Inject(ChangeEventSource) private readonly source: ChangeEventSource,
    @Inject(SalesforceClient) private readonly salesforce: SalesforceClient,
    @Inject(CacheService) private readonly cache: CacheService,
    @Inject(Checkpoints) private readonly checkpoints: Checkpoints,
    @Inject(ConsumerLeases) leases: ConsumerLeases,
    @Inject(ProcessReports) private readonly reports: ProcessReports,
    @Inject(APP_CONFIG) private readonly config: AppConfig,
  ) {
    this.active = new ActiveConsumer(CONSUMER, leases, {
      start: () => this.consume(),
      stop: async () => void (await Promise.all([this.reconciler?.stop(), this.source.stop()])),
      feedAges: () => this.feedAges(),
    });
  }

  /** Does not wait for the connection: the application starts while Salesforce is away, and health reports it. */
  onApplicationBootstrap(): void {
    if (!this.config.events.enabled) {
      const seconds = changeDrivenMaxAgeSeconds(this.config);
      this.logger.warn(`change events are switched off (SF_EVENTS_ENABLED): entries live at most ${seconds} s`);
      return;
    }
    const listeners = this.instancesOf(AppliedChangeListener);
    const applied = async (changes: readonly AppliedChange[]) => {
      // Every listener receives them, also when another one fails.
      const outcomes = await Promise.allSettled(listeners.map(async (listener) => listener.onApplied(changes)));
      const failure = outcomes.find((outcome) => outcome.status === 'rejected');
      if (failure) throw failure.reason;
    };
    const byTopic = this.subscriptionsByTopic();
    const reconciler = (this.reconciler = this.createReconciler(byTopic));
    for (const [topic, subscriptions] of byTopic) {
      const position = this.savedAs(this.source.transport, topic);
      this.topics.set(topic, new TopicConsumer(topic, subscriptions, this.cache, position, { applied, reconciler }));
    }
    this.reports.publish(CONSUMER_TOPIC, () => this.report());
    this.reports.publishCounters(EVENTS_COUNTED_TOPIC, () => this.counted());
    this.active.start();
  }

  async onModuleDestroy(): Promise<void> {
    await this.active.stop();
  }

  /** This process's present state as a consumer of change events. */
  report(): ConsumerReport {
    const { holder, role } = this.active;
    const { transport } = this.source;
    if (role !== 'active') return { transport, holder, role, topics: [] };
    const states = new Map(this.source.health().map((health) => [health.topic, health]));
    return {
      transport,
      holder,
      role,
      topics: [...this.topics].map(([topic, consumer]) => ({
        ...(states.get(topic) ?? unheardTopic(topic, transport)),
        subscriptions: consumer.subscriptions.map(({ name }) => name),
        ...consumer.counters(),
      })),
      ...(this.reconciler && { reconciler: this.reconciler.report() }),
    };
  }

  /** What this process has counted since it began, whether it consumes now or not. */
  counted(): CountedEvents {
    const topics: Record<string, CountedTopic> = Object.fromEntries(this.beforeThisTerm);
    const add = (name: string, more: Parameters<typeof addCountedTopic>[1]): void => {
      topics[name] = addCountedTopic(topics[name], more);
    };
    for (const { topic, retries, reconnects, gaps, events } of this.source.health()) {
      add(topic, { retries, reconnects, gaps, events });
    }
    for (const [topic, consumer] of this.topics) add(topic, consumer.counters());
    return { topics, tables: countedTables(this.reconciler?.report().tables ?? []) };
  }

  private async consume(): Promise<void> {
    this.reconciler?.start();
    // A source that starts again counts from zero; it does so in this turn of the event loop.
    for (const { topic, retries, reconnects, gaps, events } of this.source.health()) {
      const more = { retries, reconnects, gaps, events };
      this.beforeThisTerm.set(topic, addCountedTopic(this.beforeThisTerm.get(topic), more));
    }
    await this.source.start(this.topics, (topic) => this.consumerOf(topic).position());
  }

  private consumerOf(topic: string): TopicConsumer {
    return this.topics.get(topic) as TopicConsumer;
  }

  /** A position that only the active consumer moves. */
  private savedAs(kind: string, name: string): TopicPosition {
    const checkpoint = async () => `${await this.organization()}:${kind}:${name}`;
    return {
      load: async () => this.checkpoints.load(await checkpoint()),
      save: async (position) => {
        const { term } = this.active;
        if (term === undefined) throw new TermOverError(CONSUMER);
        await this.checkpoints.save(await checkpoint(), position, term);
      },
    };
  }

  private createReconciler(byTopic: ReadonlyMap<string, readonly Subscription[]>): Reconciler | undefined {
    const { reconcileSeconds } = this.config.salesforce;
    if (reconcileSeconds === 0) return undefined;
    const tables = new Map<string, WatchedTable>();
    for (const [topic, subscriptions] of byTopic) {
      for (const { table, listFields = [] } of subscriptions) {
        if (table === undefined) continue;
        const { listFields: others = [], ...watched } = tables.get(table) ?? {
          table,
          topic,
          isCaughtUp: () => this.isCaughtUp(topic),
          apply: (events: readonly ChangeEvent[]) => this.consumerOf(topic).repair(events),
        };
        tables.set(table, { ...watched, listFields: [...new Set([...others, ...listFields])] });
      }
    }
    return new Reconciler({
      tables: [...tables.values()],
      salesforce: this.salesforce,
      positions: {
        load: (table) => this.savedAs('reconciled', table).load(),
        save: (table, position) => this.savedAs('reconciled', table).save(position),
      },
      periodMs: reconcileSeconds * 1_000,
      log: streamLog(new Logger(Reconciler.name)),
    });
  }

  private isCaughtUp(topic: string): boolean {
    const health = this.source.health().find((each) => each.topic === topic);
    return health?.state === 'live' && health.waiting === 0 && (health.behindMs ?? Infinity) < CAUGHT_UP_MS;
  }

  /**
   * A feed is as far behind as its topic; one with several topics is as far behind as the worst of them. A feed that
   * was never followed, or whose object the integration user may not read, is left out.
   */
  private feedAges(): ReadonlyMap<string, number> {
    const ages = new Map<string, number>();
    for (const { topic, behindMs = Infinity, unreadable } of this.source.health()) {
      for (const { name } of this.topics.get(topic)?.subscriptions ?? []) {
        const age = unreadable.includes(name) ? Infinity : behindMs;
        ages.set(name, Math.max(age, ages.get(name) ?? 0));
      }
    }
    return new Map([...ages].filter(([, age]) => age !== Infinity));
  }

  private subscriptionsByTopic(): Map<string, Subscription[]> {
    const byTopic = new Map<string, Subscription[]>();
    for (const subscription of this.instancesOf(ChangeSubscriber).flatMap((subscriber) => subscriber.subscriptions)) {
      byTopic.set(subscription.topic, [...(byTopic.get(subscription.topic) ?? []), subscription]);
    }
    return byTopic;
  }

  /** The providers of this kind in all modules of the application, each once. */
  private instancesOf<T>(kind: abstract new (...args: never[]) => T): T[] {
    const found = new Set<T>();
    for (const { instance } of this.discovery.getProviders()) if (instance instanceof kind) found.add(instance);
    return [...found];
  }

  private async organization(): Promise<string> {
    return (this.organizationId ??= await this.salesforce.organizationId());
  }
}
