import type { ClientDuplexStream } from '@grpc/grpc-js';
import { backOffMs } from '../back-off.js';
import type { StartPosition } from '../change-event-source.js';
import type { ConsumerEvent, FetchRequest, FetchResponse } from '../pubsub-service.js';
import type { ResolvedPubSubOptions } from '../pubsub.options.js';
import type { TopicDelivery } from '../delivery/topic-delivery.js';
import type { EventSchema, SchemaCache } from './event-schema.js';
import type { PubSubClient, PubSubIdentity } from './pubsub-client.js';
import { eventOfPubSub } from './pubsub-event.js';
import { endOfCall, type PubSubEnd } from './stream-faults.js';

/**
 * Maximum number of requests beyond the queue's bound, for one event each, that keep a stream open while its handler is
 * stuck. When they are used up (after 75 minutes, at one every 45 s) the stream ends.
 */
export const LIFELINES_MAX = 100;

/** Dependencies and callbacks of one stream. */
export interface TopicStreamParts {
  readonly client: PubSubClient;
  readonly identity: PubSubIdentity;
  readonly schemas: SchemaCache;
  readonly delivery: TopicDelivery;
  readonly options: ResolvedPubSubOptions;
  /** Called once, before the delivery receives the first event: Salesforce has answered on this connection. */
  readonly onLive: () => void;
  /** Called once if the stream still runs after `decideMs`, live or not. */
  readonly onUndecided: () => void;
}

/**
 * One Subscribe call for one topic, from its first request to its end. It reads only while there is room, decodes in
 * order, and ends at the first failure; it never repairs itself.
 */
export class TopicStream {
  private readonly call: ClientDuplexStream<FetchRequest, FetchResponse>;
  private readonly window: PullWindow;
  private end: PubSubEnd | undefined;
  private isLive = false;
  private watchdog: NodeJS.Timeout | undefined;
  private lifeline: NodeJS.Timeout | undefined;
  private asking: NodeJS.Timeout | undefined;
  private looking: NodeJS.Timeout | undefined;

  constructor(private readonly parts: TopicStreamParts) {
    const { client, identity, options } = parts;
    this.call = client.subscribe(identity);
    this.window = new PullWindow(options.windowMax, options.queueMax);
  }

  /** Reads until the stream ends, and resolves with the reason. Never rejects. */
  async run(start: StartPosition): Promise<PubSubEnd> {
    const { delivery, options } = this.parts;
    this.call.on('metadata', () => this.signOfLife());
    this.call.on('error', () => undefined); // the loop below receives the error too
    const undecided = setTimeout(() => this.parts.onUndecided(), options.decideMs);
    delivery.onTaken = () => this.pull();
    this.feedWatchdog();
    this.lookAfterConnection();
    try {
      this.pull(start);
      void this.askForTopic();
      for await (const response of this.call as AsyncIterable<FetchResponse>) {
        await this.take(response);
        if (this.end !== undefined) break;
      }
      return this.end ?? { kind: 'closed', reason: 'Salesforce ended the stream' };
    } catch (error) {
      return this.end ?? endOfCall(error);
    } finally {
      this.close();
      delivery.onTaken = () => undefined;
      for (const timer of [undecided, this.watchdog, this.lifeline, this.asking, this.looking]) clearTimeout(timer);
    }
  }

  close(): void {
    this.endWith({ kind: 'closed', reason: 'closed' });
  }

  private endWith(end: PubSubEnd): void {
    this.end ??= end;
    this.call.cancel();
  }

  /**
   * Asks Salesforce for the topic; if that fails, again until there is a sign of life. A Subscribe call has no answer
   * of its own, so the answer to this call, sent after it on the same connection, counts as one. It also loads the
   * schema, before an event needs it.
   */
  private async askForTopic(attempt = 0): Promise<void> {
    const { client, delivery, identity, schemas } = this.parts;
    try {
      const { canSubscribe, schemaId } = await client.topic(delivery.topic, identity);
      if (canSubscribe) this.signOfLife();
      if (schemaId !== '') await schemas.get(schemaId, (id) => client.schema(id, identity));
    } catch {
      // If more than this call fails, the stream reports the error itself.
      if (this.isLive || this.end !== undefined) return;
      const waitMs = backOffMs(attempt, this.parts.options.connectBackOff);
      this.asking = setTimeout(() => void this.askForTopic(attempt + 1), waitMs);
    }
  }

  private signOfLife(): void {
    this.parts.client.seenAt = performance.now();
    this.parts.delivery.seen();
    this.live();
  }

  private live(): void {
    if (this.isLive || this.end !== undefined) return;
    this.isLive = true;
    this.parts.onLive();
  }

  private async take(response: FetchResponse): Promise<void> {
    const { delivery } = this.parts;
    const { events, latestReplayId, pendingNumRequested } = response;
    this.signOfLife();
    this.feedWatchdog();
    if (events.length > 0) delivery.reads();
    for (const event of events) {
      const schema = this.parts.schemas.known(event.event?.schemaId ?? '') ?? (await this.schemaOf(event));
      const replayId = event.replayId.toString('base64');
      const taken = delivery.offer(eventOfPubSub({ topic: delivery.topic, replayId, event: event.event }, schema));
      if (!taken) return this.endWith({ kind: 'overflow', reason: 'more events came than were asked for' });
    }
    delivery.hasRead();
    if (events.length === 0 && latestReplayId.length > 0) delivery.keptAlive(latestReplayId.toString('base64'));
    this.window.arrived(events.length, pendingNumRequested);
    this.pull();
    if (pendingNumRequested > 0) this.disarmLifeline();
    else this.lifeline ??= setTimeout(() => this.stayAlive(), this.parts.options.lifelineMs);
  }

  /** Rejects when the request to Salesforce fails: the event must then come again. */
  private async schemaOf({ event }: ConsumerEvent): Promise<EventSchema | string> {
    const { client, identity, schemas } = this.parts;
    if (event === null || event.schemaId === '') return 'the event names no schema';
    return schemas.get(event.schemaId, (id) => client.schema(id, identity));
  }

  /** Requests as many events as there is room for. */
  private pull(start?: StartPosition): void {
    if (this.end !== undefined) return;
    const wanted = this.window.ask(this.parts.delivery.waiting);
    if (wanted > 0) this.request(wanted, start);
  }

  private stayAlive(): void {
    this.disarmLifeline();
    const wanted = this.window.askForLife(this.parts.delivery.waiting);
    if (wanted > 0) this.request(wanted);
    else this.endWith({ kind: 'overflow', reason: 'the handler has been stuck for too long' });
  }

  private request(numRequested: number, start?: StartPosition): void {
    this.disarmLifeline();
    const request = { topicName: this.parts.delivery.topic, numRequested };
    if (start === undefined) this.call.write(request);
    else if (start === 'latest') this.call.write({ ...request, replayPreset: 'LATEST' });
    else this.call.write({ ...request, replayPreset: 'CUSTOM', replayId: Buffer.from(start.after, 'base64') });
  }

  private disarmLifeline(): void {
    clearTimeout(this.lifeline);
    this.lifeline = undefined;
  }

  /**
   * Looks every `quietMs`, once the stream is live, whether the connection still answers. A dead one is noticed long
   * before a keep-alive is overdue; a stream that is silent on a living connection is not, because Salesforce may have
   * nothing to say.
   */
  private lookAfterConnection(): void {
    const { client, delivery, identity, options } = this.parts;
    const look = async (): Promise<void> => {
      if (!this.isLive || this.end !== undefined) return;
      if (await client.isAnswering(options.quietMs, delivery.topic, identity)) return;
      const reason = `nothing came from Salesforce for ${options.quietMs} ms, and the connection does not answer`;
      this.endWith({ kind: 'failed', reason, isSilent: true, isBroken: true });
    };
    this.looking = setInterval(() => void look(), options.quietMs).unref();
  }

  private feedWatchdog(): void {
    clearTimeout(this.watchdog);
    const { watchdogMs } = this.parts.options;
    const reason = `nothing came from Salesforce for ${watchdogMs} ms`;
    this.watchdog = setTimeout(
      () => this.endWith({ kind: 'failed', reason, isSilent: true, isBroken: true }),
      watchdogMs,
    );
  }
}

/**
 * Flow control of one stream: decides how many events to request, so that at most `windowMax` are under way, at most
 * `queueMax` are under way and waiting together (lifelines not counted), and the next request goes out before
 * Salesforce has sent all that it was asked for.
 */
export class PullWindow {
  /** Requested and not arrived, by our count. */
  private outstanding = 0;
  private lifelines = 0;

  constructor(
    private readonly windowMax: number,
    private readonly queueMax: number,
  ) {}

  /** How many events to request now, with `waiting` ones in the queue; 0 to wait. Counts them as requested. */
  ask(waiting: number): number {
    const room = Math.min(this.windowMax - this.outstanding, this.queueMax - waiting - this.outstanding);
    // While events are under way, request at least half a window: a request per event would double the messages.
    if (room < 1 || (this.outstanding > 0 && room < this.windowMax / 2)) return 0;
    this.outstanding += room;
    this.lifelines = 0;
    return room;
  }

  /** How many events to request to keep an idle stream open; 0 when the lifelines are used up. */
  askForLife(waiting: number): number {
    // For `lifelineMs` Salesforce had nothing left to deliver, so our count starts anew.
    this.outstanding = 0;
    const room = this.ask(waiting);
    if (room > 0) return room;
    if (this.lifelines >= LIFELINES_MAX) return 0;
    this.lifelines += 1;
    this.outstanding += 1;
    return 1;
  }

  /**
   * `count` events arrived; `pending` is how many Salesforce still has to send, exact only in an answer without events.
   */
  arrived(count: number, pending: number): void {
    this.outstanding = count === 0 ? Math.min(this.outstanding, pending) : Math.max(0, this.outstanding - count);
  }
}
