import { setMaxListeners } from 'node:events';
import type { SalesforceConnection } from '../connection/salesforce-connection.js';
import { ChangeEventSource, type StartPosition, type TopicHandler, type TopicHealth } from './change-event-source.js';
import { watchEntities } from './delivery/entity-watch.js';
import { type PubSubOptions, type ResolvedPubSubOptions, resolvePubSubOptions } from './pubsub.options.js';
import { PubSubLink } from './pubsub/pubsub-link.js';
import { LIFELINES_MAX } from './pubsub/topic-stream.js';
import { TopicSubscription } from './pubsub/topic-subscription.js';
import { StreamJournal } from './delivery/stream-journal.js';
import { TopicDelivery } from './delivery/topic-delivery.js';

/**
 * Change events over the Pub/Sub API (gRPC): at least once, in order per topic, from the committed position. All topics
 * share one connection. Each has its own stream; the others go on when one ends, unless the connection is broken.
 */
export class PubSubChangeEventSource extends ChangeEventSource {
  readonly transport = 'pubsub';
  private readonly options: ResolvedPubSubOptions;
  private link: PubSubLink | undefined;
  private deliveries: TopicDelivery[] = [];
  private subscriptions: TopicSubscription[] = [];
  private stopping = new AbortController();
  private running: Promise<unknown> | undefined;

  constructor(
    private readonly connection: SalesforceConnection,
    options: PubSubOptions = {},
  ) {
    super();
    this.options = resolvePubSubOptions(options);
  }

  async start(
    topics: ReadonlyMap<string, TopicHandler>,
    position: (topic: string) => Promise<StartPosition>,
  ): Promise<void> {
    if (this.running !== undefined) throw new Error('the change event source has been started: stop it first');
    const { connection, options } = this;
    const journal = new StreamJournal(options.log);
    const link = (this.link = new PubSubLink(connection, options));
    this.stopping = new AbortController();
    this.deliveries = [];
    this.subscriptions = [];
    const { signal: stopping } = this.stopping;
    setMaxListeners(topics.size + 1, stopping); // a wait per topic stream, and one of the access check
    // The queue has extra room for the events that are requested only to keep a stream open.
    const bounds = { ...options, queueMax: options.queueMax + LIFELINES_MAX };
    for (const [topic, handler] of topics) {
      const delivery = new TopicDelivery(topic, this.transport, handler, bounds, journal);
      this.deliveries.push(delivery);
      this.subscriptions.push(new TopicSubscription(delivery, { link, position, options, journal, stopping }));
    }
    const attempts: Promise<void>[] = [];
    const runs = this.subscriptions.map((subscription) => {
      let attempted = (): void => undefined;
      attempts.push(new Promise((resolve) => (attempted = resolve)));
      return subscription.run(attempted);
    });
    this.running = Promise.all(runs);
    const resubscribe = (topic: string): void =>
      this.subscriptions[this.deliveries.findIndex((delivery) => delivery.topic === topic)]?.close();
    void watchEntities(this.deliveries, { connection, options, journal, stopping, resubscribe });
    await Promise.race([this.running, Promise.all(attempts)]);
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    for (const subscription of this.subscriptions) subscription.close();
    try {
      await Promise.all([this.running, ...this.deliveries.map((delivery) => delivery.stop())]);
    } finally {
      this.link?.close();
      this.running = undefined;
    }
  }

  health(): TopicHealth[] {
    return this.deliveries.map((delivery) => delivery.health());
  }
}
