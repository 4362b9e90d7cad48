import { TermOverError } from '@bff/infra/cache/cache.errors';
import { CacheService } from '@bff/infra/cache/cache.service';
import { Checkpoints } from '@bff/infra/cache/checkpoints';
import { ConsumerLeases } from '@bff/infra/cache/consumer-leases';
import { ProcessReports } from '@bff/infra/cache/process-reports';
import { APP_CONFIG, type AppConfig } from '@bff/infra/config/app-config';
import { ChangeEventSource, unheardTopic } from '@bff/integrations/salesforce/events/change-event-source';
import { SalesforceClient } from '@bff/integrations/salesforce/salesforce.client';
import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { ActiveConsumer } from './active-consumer.js';
import { AppliedChangeListener, type AppliedChange } from './applied-change.js';
import { ChangeSubscriber, type Subscription } from './change-subscriber.js';
import { CONSUMER_TOPIC, type ConsumerReport } from './events-report.js';
import { changeDrivenMaxAgeSeconds } from './max-age.js';
import { TopicConsumer, type TopicPosition } from './topic-consumer.js';

/** One process of all that share a store consumes: they share one org. */
export const CONSUMER = 'salesforce-events';

/**
 * Brings the change events of Salesforce to every `ChangeSubscriber` of this application while this process is the active
 * consumer, and says on the process board how it goes. With events switched off it subscribes to nothing.
 */
@Injectable()
export class ChangeEventConsumer implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(ChangeEventConsumer.name);
  private readonly topics = new Map<string, TopicConsumer>();
  private readonly active: ActiveConsumer;
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
      start: () => this.source.start(this.topics, (topic) => (this.topics.get(topic) as TopicConsumer).position()),
      stop: () => this.source.stop(),
      feedAges: () => this.feedAges(),
    });
  }

  /** Does not wait for the connection: the application starts while Salesforce is away, and health says so. */
  onApplicationBootstrap(): void {
    if (!this.config.events.enabled) {
      const seconds = changeDrivenMaxAgeSeconds(this.config);
      this.logger.warn(`change events are switched off (SF_EVENTS_ENABLED): entries live at most ${seconds} s`);
      return;
    }
    const listeners = this.instancesOf(AppliedChangeListener);
    const applied = async (changes: readonly AppliedChange[]) => {
      await Promise.all(listeners.map((listener) => listener.onApplied(changes)));
    };
    for (const [topic, subscriptions] of this.subscriptionsByTopic()) {
      this.topics.set(topic, new TopicConsumer(topic, subscriptions, this.cache, this.positionOf(topic), { applied }));
    }
    this.reports.publish(CONSUMER_TOPIC, () => this.report());
    this.active.start();
  }

  async onModuleDestroy(): Promise<void> {
    await this.active.stop();
  }

  /** What this process does with change events, as it is now. */
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
    };
  }

  private positionOf(topic: string): TopicPosition {
    const name = async () => `${await this.organization()}:${this.source.transport}:${topic}`;
    return {
      load: async () => this.checkpoints.load(await name()),
      save: async (replayId) => {
        const { term } = this.active;
        if (term === undefined) throw new TermOverError(CONSUMER);
        await this.checkpoints.save(await name(), replayId, term);
      },
    };
  }

  /** A subscription is as far behind as its topic; one that has several is as far behind as the worst of them. */
  private feedAges(): ReadonlyMap<string, number> {
    const ages = new Map<string, number>();
    for (const { topic, behindMs, unreadable } of this.source.health()) {
      for (const { name } of this.topics.get(topic)?.subscriptions ?? []) {
        if (behindMs === undefined || unreadable.includes(name)) continue;
        ages.set(name, Math.max(behindMs, ages.get(name) ?? 0));
      }
    }
    return ages;
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
