import {
  ChangeEventSource,
  type StartPosition,
  type TopicHandler,
  type TopicHealth,
  unheardTopic,
} from '@bff/integrations/salesforce/events/change-event-source';
import type { ChangeEvent, SourceEvent } from '@bff/integrations/salesforce/events/source-event';

/** A stream whose events a test sends one at a time. It is live at once, after a gap where it has no position. */
export class ScriptedEventSource extends ChangeEventSource {
  readonly transport = 'scripted';
  private topics: ReadonlyMap<string, TopicHandler> = new Map();
  private replayId = 0;
  /** Replaces parts of the health of every topic, which otherwise shows a stream that is well. */
  trouble: Partial<TopicHealth> = {};
  private begin: () => void = () => undefined;
  /** Resolves when a consumer has started it and every topic is live. */
  readonly ready = new Promise<void>((resolve) => (this.begin = resolve));

  get subscribed(): readonly string[] {
    return [...this.topics.keys()];
  }

  async start(
    topics: ReadonlyMap<string, TopicHandler>,
    position: (topic: string) => Promise<StartPosition>,
  ): Promise<void> {
    this.topics = topics;
    for (const [topic, handler] of topics) {
      if ((await position(topic)) === 'latest') await handler.onGap('no-position');
    }
    this.begin();
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }

  health(): TopicHealth[] {
    return this.subscribed.map((topic) => ({
      ...unheardTopic(topic, this.transport),
      state: 'live',
      lastSeenAt: Date.now(),
      behindMs: 0,
      gaps: 1,
      ...this.trouble,
    }));
  }

  /** Resolves when the consumer has taken the event. */
  async change(entityName: string, recordId: string, given: Partial<ChangeEvent>): Promise<void> {
    const topic = `/data/${entityName}ChangeEvent`;
    await this.deliver({
      kind: 'change',
      topic,
      replayId: String(++this.replayId),
      entityName,
      recordIds: [recordId],
      scope: 'records',
      changeType: 'UPDATE',
      changedFields: undefined,
      commitTimestamp: Date.now(),
      transactionKey: String(this.replayId),
      sequenceNumber: 1,
      fields: {},
      ...given,
    });
  }

  async publish(topic: string, fields: Readonly<Record<string, unknown>>): Promise<void> {
    await this.deliver({ kind: 'platform', topic, replayId: String(++this.replayId), fields });
  }

  private async deliver(event: SourceEvent): Promise<void> {
    await this.handler(event.topic).onEvents({ events: [event], position: event.replayId });
  }

  private handler(topic: string): TopicHandler {
    const handler = this.topics.get(topic);
    if (!handler) throw new Error(`nobody has subscribed to ${topic}`);
    return handler;
  }
}
