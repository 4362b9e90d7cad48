import { backOffMs, pause } from '../back-off.js';
import type { StartPosition } from '../change-event-source.js';
import type { ResolvedPubSubOptions } from '../pubsub.options.js';
import { AFTER_EXPIRY, askForPosition } from '../delivery/start-position.js';
import { backOffAfter, unforeseen } from '../delivery/stream-end.js';
import type { StreamJournal } from '../delivery/stream-journal.js';
import type { TopicDelivery } from '../delivery/topic-delivery.js';
import type { OpenLink, PubSubLink } from './pubsub-link.js';
import type { PubSubEnd } from './stream-faults.js';
import { TopicStream } from './topic-stream.js';

/** Dependencies shared by all subscriptions of a source. */
export interface SubscriptionParts {
  readonly link: PubSubLink;
  readonly position: (topic: string) => Promise<StartPosition>;
  readonly options: ResolvedPubSubOptions;
  readonly journal: StreamJournal;
  readonly stopping: AbortSignal;
}

/** One topic, stream after stream: after a failure a new stream begins after the committed position, until stopped. */
export class TopicSubscription {
  private stream: TopicStream | undefined;
  /** When the newest stream became live; Infinity if it never did. */
  private liveAt = Infinity;
  private rejectedToken: string | undefined;
  /** When something last came over the connection of the newest stream; undefined if that stream fell silent. */
  private aliveAt: number | undefined;

  constructor(
    private readonly delivery: TopicDelivery,
    private readonly parts: SubscriptionParts,
  ) {}

  /**
   * Resolves only when stopped. Calls `attempted` when the topic is live, when the first attempt has failed, or after
   * `decideMs`, and again in later attempts.
   */
  async run(attempted: () => void): Promise<void> {
    const { options, stopping } = this.parts;
    let isExpired = false;
    for (let failures = 0; !stopping.aborted;) {
      this.liveAt = Infinity;
      // `next` is not known to reject. An unexpected error is logged and retried like any other.
      const end = await this.next(isExpired, attempted).catch(unforeseen);
      if (stopping.aborted) return;
      if (end.kind === 'position-expired' && !isExpired) {
        isExpired = true;
        this.delivery.lost(end.reason);
        continue;
      }
      attempted();
      isExpired = false;
      // A stream that lasted, or ended because this process did not keep up, was healthy: the next failure starts a new
      // back-off series.
      if (Date.now() - this.liveAt > options.connectBackOff.maxMs || end.kind === 'overflow') failures = 0;
      await this.wait(end, failures++);
    }
  }

  /** Ends the stream; `run` resolves only if `stopping` is aborted too. */
  close(): void {
    this.stream?.close();
  }

  /** Runs one stream from its opening to its end. */
  private async next(isExpired: boolean, attempted: () => void): Promise<PubSubEnd> {
    const { delivery } = this;
    const { link, stopping } = this.parts;
    // The events of the former stream are handed over first, so that the committed position lies behind them.
    await delivery.drained();
    if (stopping.aborted) return { kind: 'closed', reason: 'stopped' };
    delivery.connecting();
    const opened = await link.open(this.rejectedToken);
    this.rejectedToken = undefined;
    if ('kind' in opened) return opened;
    const end = await this.attempt(opened, isExpired, attempted);
    // A silent stream was alive until its own last sign of life; any other until the last one of the whole connection.
    this.aliveAt = end.isSilent === true ? undefined : opened.client.seenAt;
    if (end.isBroken === true) link.discard(opened.client);
    if (end.kind === 'auth') this.rejectedToken = opened.identity.accessToken;
    return end;
  }

  private async attempt({ client, identity }: OpenLink, isExpired: boolean, attempted: () => void): Promise<PubSubEnd> {
    const { delivery } = this;
    const { link, options, journal, stopping } = this.parts;
    const asked = isExpired ? AFTER_EXPIRY : await askForPosition(this.parts.position, delivery.topic, stopping);
    if ('trouble' in asked) return { kind: 'failed', reason: asked.trouble };
    const { start, gap } = asked;
    if (stopping.aborted) return { kind: 'closed', reason: 'stopped' };
    const onLive = (): void => {
      this.liveAt = Date.now();
      journal.topicLive(delivery.topic);
      delivery.subscribed(gap);
      attempted();
    };
    try {
      this.stream = new TopicStream({
        client,
        identity,
        schemas: link.schemas,
        delivery,
        options,
        onLive,
        onUndecided: attempted,
      });
      return await this.stream.run(start);
    } catch (error) {
      // Another topic may have discarded the connection while the position was read; no call can be made on it then.
      return { kind: 'failed', reason: error instanceof Error ? error.message : String(error), isBroken: true };
    } finally {
      this.stream = undefined;
    }
  }

  private async wait({ kind, reason, isSilent }: PubSubEnd, failures: number): Promise<void> {
    const { delivery } = this;
    const { options, journal, stopping } = this.parts;
    delivery.lost(reason, { isSilent, aliveAt: this.aliveAt });
    delivery.reconnecting();
    const isOfTopic = kind === 'topic-refused' || kind === 'position-expired';
    if (isOfTopic) journal.topicRefused(delivery.topic, reason);
    else journal.lost({ kind, reason }, [delivery.topic]);
    const backOff = isOfTopic ? options.refusedBackOff : backOffAfter(kind, options);
    await pause(backOffMs(failures, backOff), stopping);
  }
}
