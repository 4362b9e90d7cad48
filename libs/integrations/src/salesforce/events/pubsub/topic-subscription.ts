import { backOffMs, pause } from '../back-off.js';
import type { GapReason, StartPosition } from '../change-event-source.js';
import type { ResolvedPubSubOptions } from '../pubsub.options.js';
import { backOffAfter } from '../stream-end.js';
import type { StreamJournal } from '../stream-journal.js';
import type { TopicDelivery } from '../topic-delivery.js';
import type { OpenLink, PubSubLink } from './pubsub-link.js';
import type { PubSubEnd } from './stream-faults.js';
import { TopicStream } from './topic-stream.js';

/** What the subscriptions of a source share. */
export interface SubscriptionParts {
  readonly link: PubSubLink;
  readonly position: (topic: string) => Promise<StartPosition>;
  readonly options: ResolvedPubSubOptions;
  readonly journal: StreamJournal;
  readonly stopping: AbortSignal;
}

/** One topic, stream after stream: whatever breaks, a new stream begins after what was committed, until it is stopped. */
export class TopicSubscription {
  private stream: TopicStream | undefined;
  /** Since when the newest stream was live; Infinity if it never was. */
  private liveAt = Infinity;

  constructor(
    private readonly delivery: TopicDelivery,
    private readonly parts: SubscriptionParts,
  ) {}

  /** Resolves when stopped. `attempted` is called when the topic is live or the first attempt has failed. */
  async run(attempted: () => void): Promise<void> {
    const { delivery } = this;
    const { link, options, stopping } = this.parts;
    let rejectedToken: string | undefined;
    let isExpired = false;
    for (let failures = 0; !stopping.aborted;) {
      // What a former stream brought is handed over first; only then the position names what this one has to begin after.
      await delivery.drained();
      if (stopping.aborted) return;
      delivery.connecting();
      this.liveAt = Infinity;
      const opened = await link.open(rejectedToken);
      const end = 'kind' in opened ? opened : await this.attempt(opened, isExpired, attempted);
      if (stopping.aborted) return;
      if ('client' in opened && end.isBroken === true) link.discard(opened.client);
      if (end.kind === 'position-expired' && !isExpired) {
        isExpired = true;
        continue;
      }
      attempted();
      isExpired = false;
      rejectedToken = end.kind === 'auth' && 'identity' in opened ? opened.identity.accessToken : undefined;
      // A stream that lasted was healthy: the next trouble is a new one, not a repetition.
      if (Date.now() - this.liveAt > options.connectBackOff.maxMs || end.kind === 'overflow') failures = 0;
      await this.wait(end, failures++);
    }
  }

  /** Ends the stream; `run` resolves when `stopping` is aborted too. */
  close(): void {
    this.stream?.close();
  }

  private async attempt({ client, identity }: OpenLink, isExpired: boolean, attempted: () => void): Promise<PubSubEnd> {
    const { delivery } = this;
    const { link, options, journal, stopping } = this.parts;
    const start = await this.start(isExpired);
    if (typeof start === 'object' && 'kind' in start) return start;
    if (stopping.aborted) return { kind: 'closed', reason: 'stopped' };
    let gap: GapReason | undefined;
    if (start === 'latest') gap = isExpired ? 'position-expired' : 'no-position';
    const onLive = (): void => {
      this.liveAt = Date.now();
      link.accepted();
      journal.topicLive(delivery.topic);
      delivery.subscribed(gap);
      attempted();
    };
    try {
      this.stream = new TopicStream({ client, identity, schemas: link.schemas, delivery, options, onLive });
      return await this.stream.run(start);
    } catch (error) {
      // Another topic may have given up the connection while the position was read; then no call can be made on it.
      return { kind: 'failed', reason: error instanceof Error ? error.message : String(error), isBroken: true };
    } finally {
      this.stream = undefined;
    }
  }

  private async start(isExpired: boolean): Promise<StartPosition | PubSubEnd> {
    try {
      return isExpired ? 'latest' : await this.parts.position(this.delivery.topic);
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      return { kind: 'failed', reason: `a position could not be read: ${detail}` };
    }
  }

  private async wait({ kind, reason, isSilent }: PubSubEnd, failures: number): Promise<void> {
    const { delivery } = this;
    const { options, journal, stopping } = this.parts;
    delivery.lost(reason, isSilent);
    delivery.reconnecting();
    const isOfTopic = kind === 'topic-refused' || kind === 'position-expired';
    if (isOfTopic) journal.topicRefused(delivery.topic, reason);
    else journal.lost({ kind, reason }, [delivery.topic]);
    const backOff = isOfTopic ? options.refusedBackOff : backOffAfter(kind, options);
    await pause(backOffMs(failures, backOff), stopping);
  }
}
