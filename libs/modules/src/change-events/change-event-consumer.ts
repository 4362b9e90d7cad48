import { CacheService } from '@bff/infra/cache/cache.service';
import { Checkpoints } from '@bff/infra/cache/checkpoints';
import { ProcessReports } from '@bff/infra/cache/process-reports';
import { APP_CONFIG, type AppConfig } from '@bff/infra/config/app-config';
import { ChangeEventSource, unheardTopic } from '@bff/integrations/salesforce/events/change-event-source';
import { SalesforceClient } from '@bff/integrations/salesforce/salesforce.client';
import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { AppliedChangeListener, type AppliedChange } from './applied-change.js';
import { ChangeSubscriber, type Subscription } from './change-subscriber.js';
import { CONSUMER_TOPIC, type ConsumerReport } from './events-report.js';
import { changeDrivenMaxAgeSeconds } from './max-age.js';
import { TopicConsumer } from './topic-consumer.js';

/**
 * Brings the change events of Salesforce to every `ChangeSubscriber` of this application, and says on the process board how
 * it goes. With events switched off it subscribes to nothing.
 */
@Injectable()
export class ChangeEventConsumer implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(ChangeEventConsumer.name);
  private readonly topics = new Map<string, TopicConsumer>();
  private organizationId: string | undefined;

  constructor(
    private readonly discovery: DiscoveryService,
    @Inject(ChangeEventSource) private readonly source: ChangeEventSource,
    @Inject(SalesforceClient) private readonly salesforce: SalesforceClient,
    @Inject(CacheService) private readonly cache: CacheService,
    @Inject(Checkpoints) private readonly checkpoints: Checkpoints,
    @Inject(ProcessReports) private readonly reports: ProcessReports,
    @Inject(APP_CONFIG) private readonly config: AppConfig,
  ) {}

  /** Does not wait for the connection: the application starts while Salesforce is away, and health says so. */
  onApplicationBootstrap(): void {
    if (!this.config.events.enabled) {
      const seconds = changeDrivenMaxAgeSeconds(this.config);
      this.logger.warn(`change events are switched off (SF_EVENTS_ENABLED): entries live at most ${seconds} s`);
      return;
    }
    const listeners = this.instancesOf(AppliedChangeListener);
    const tell = async (changes: readonly AppliedChange[]) => {
      await Promise.all(listeners.map((listener) => listener.onApplied(changes)));
    };
    for (const [topic, subscriptions] of this.subscriptionsByTopic()) {
      const name = async () => `${await this.organization()}:${this.source.transport}:${topic}`;
      this.topics.set(topic, new TopicConsumer(topic, subscriptions, this.cache, this.checkpoints, name, tell));
    }
    this.reports.publish(CONSUMER_TOPIC, () => this.report());
    const position = (topic: string) => (this.topics.get(topic) as TopicConsumer).position();
    this.source.start(this.topics, position).catch((error: unknown) => {
      this.logger.error({ err: error }, 'the change event source did not start');
    });
  }

  async onModuleDestroy(): Promise<void> {
    if (this.topics.size > 0) await this.source.stop();
  }

  /** What this process does with change events, as it is now. */
  report(): ConsumerReport {
    const states = new Map(this.source.health().map((health) => [health.topic, health]));
    return {
      transport: this.source.transport,
      topics: [...this.topics].map(([topic, consumer]) => ({
        ...(states.get(topic) ?? unheardTopic(topic, this.source.transport)),
        subscriptions: consumer.subscriptions.map(({ name }) => name),
        ...consumer.counters(),
      })),
    };
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
