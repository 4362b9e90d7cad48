import { randomUUID } from 'node:crypto';
import type { Channel } from '../events/channel.js';
import type { Channels } from '../events/channels.js';
import type { EventAllocation } from '../events/event-allocation.js';
import type { EventLog } from '../events/event-log.js';
import type { EventMessage } from '../events/org-event.js';
import type { Timing } from '../timing.js';
import { encodeEvent } from './avro-payload.js';
import type { FetchRequest, FetchResponse } from '@bff/integrations/salesforce/events/pubsub-service';
import type { PubSubErrorName } from './pubsub-errors.js';
import { replayBytes, replayNumber } from './replay-bytes.js';

/**
 * Maximum number of events requested and not yet delivered; more counts as this (Pub/Sub API guide, "Pull Subscription
 * and Flow Control").
 */
const OUTSTANDING_MAX = 100;
/** Payload bytes after which a response takes no further event, because a gRPC message holds at most 4 MB. */
const RESPONSE_BYTES_MAX = 3_000_000;

/** The parts that a subscription uses. */
export interface SubscriptionContext {
  readonly channels: Channels;
  readonly log: EventLog;
  readonly allocation: EventAllocation;
  readonly timing: Timing;
}

/** The client's end of a stream. */
export interface Subscriber {
  send(response: FetchResponse): void;
  /** Ends the stream with an error, or with status OK. */
  end(error?: PubSubErrorName): void;
}

/**
 * One Subscribe stream. It delivers only as many events as were requested, sends keep-alives while a request is
 * pending, and ends when none is pending for too long. A slow client's backlog is a position in the log, so the log
 * bounds it.
 */
export class Subscription {
  private channel: Channel | undefined;
  /**
   * The position up to which the client has been served; undefined before the first request and until a subscription at
   * LATEST has settled.
   */
  private after: number | undefined;
  private pending = 0;
  /** The messages of the current event that are not sent yet, because an event can give several. */
  private rest: readonly EventMessage[] = [];
  private timer: NodeJS.Timeout | undefined;
  private silent = false;
  private isOver = false;

  constructor(
    private readonly context: SubscriptionContext,
    private readonly subscriber: Subscriber,
  ) {}

  /** The topic; undefined before the first request. */
  get topic(): string | undefined {
    return this.channel?.name;
  }

  /**
   * Takes a request. The first one names the topic and the start; each adds to the number of events that may be
   * delivered.
   */
  request(request: FetchRequest): void {
    if (this.isOver) return;
    const refusal = this.channel === undefined ? this.open(request) : this.refusalOfLater(request);
    if (refusal !== undefined) return this.end(refusal);
    this.pending = Math.min(OUTSTANDING_MAX, this.pending + request.numRequested);
    this.restartTimer();
    this.pump();
  }

  /** Sends due events, at most as many as were requested. */
  pump(): void {
    if (this.isOver || this.silent || this.after === undefined) return;
    while (this.pending > 0) {
      if (this.context.allocation.isExceeded) return this.end('limit-exceeded');
      const batch = this.nextBatch();
      if (batch.length === 0) return;
      this.pending -= batch.length;
      this.context.allocation.count(batch.length);
      this.send(batch, (batch.at(-1) as EventMessage).event.replayId);
    }
  }

  /** While silent, the stream sends neither events nor keep-alives: an open but dead connection. */
  setSilent(isSilent: boolean): void {
    this.silent = isSilent;
    if (!isSilent) this.pump();
  }

  /** Ends the stream from the server's side. */
  end(error?: PubSubErrorName): void {
    if (this.isOver) return;
    this.close();
    this.subscriber.end(error);
  }

  /** Stops the stream without a word to the client. */
  close(): void {
    this.isOver = true;
    clearTimeout(this.timer);
  }

  private open(request: FetchRequest): PubSubErrorName | undefined {
    if (request.topicName === '') return 'topic-empty';
    const channel = this.context.channels.open(request.topicName);
    if (channel === undefined) return 'topic-not-found';
    if (!channel.canSubscribe()) return 'cannot-subscribe';
    if (request.numRequested <= 0) return 'requested-invalid';
    const { log, timing } = this.context;
    if (request.replayPreset === 'CUSTOM') {
      if (request.replayId === undefined || request.replayId.length === 0) return 'replay-id-missing';
      const replayId = replayNumber(request.replayId);
      if (replayId === undefined || !log.has(replayId)) return 'replay-id-corrupted';
      this.after = replayId;
    } else if (request.replayPreset === 'EARLIEST') {
      this.after = -1;
    } else if (timing.settleMs === 0) {
      this.after = log.tip;
    } else {
      setTimeout(() => (this.after = log.tip), timing.settleMs).unref();
    }
    this.channel = channel;
    return undefined;
  }

  private refusalOfLater(request: FetchRequest): PubSubErrorName | undefined {
    if (request.topicName !== '' && request.topicName !== this.topic) return 'topic-mismatch';
    return request.numRequested <= 0 ? 'requested-invalid' : undefined;
  }

  /**
   * The next messages in the order of the log: as many as are requested, or fewer if their payloads are large. The
   * position moves past events that are not for this channel.
   */
  private nextBatch(): EventMessage[] {
    const batch: EventMessage[] = [];
    let bytes = 0;
    while (batch.length < this.pending && bytes < RESPONSE_BYTES_MAX) {
      if (this.rest.length === 0 && !this.advance()) break;
      const [message, ...rest] = this.rest;
      this.rest = rest;
      if (message === undefined) continue;
      bytes += payloadOf(message).length;
      batch.push(message);
    }
    return batch;
  }

  /** Moves to the next event of the log; false if there is none. */
  private advance(): boolean {
    const [event] = this.context.log.after(this.after ?? this.context.log.tip, 1);
    if (event === undefined) return false;
    this.after = event.replayId;
    this.rest = this.channel?.messages(event) ?? [];
    return true;
  }

  private send(messages: readonly EventMessage[], latest: number): void {
    this.subscriber.send({
      events: messages.map(({ event, content }) => ({
        event: {
          id: content.kind === 'platform' ? content.id : '',
          schemaId: event.schema.id,
          payload: payloadOf({ event, content }),
        },
        replayId: replayBytes(event.replayId),
      })),
      latestReplayId: replayBytes(latest),
      rpcId: randomUUID(),
      pendingNumRequested: this.pending,
    });
    this.restartTimer();
  }

  /** Starts the wait for the next keep-alive, or if nothing is requested for the end of the stream. */
  private restartTimer(): void {
    clearTimeout(this.timer);
    const { keepaliveMs, fetchTimeoutMs } = this.context.timing;
    const isWaiting = this.pending > 0;
    this.timer = setTimeout(() => this.whenIdle(isWaiting), isWaiting ? keepaliveMs : fetchTimeoutMs).unref();
  }

  private whenIdle(isWaiting: boolean): void {
    if (this.silent || (isWaiting && this.after === undefined)) return this.restartTimer();
    if (!isWaiting) return this.end();
    // The pump for an event that was published in this turn may not have run yet. Its response would replace the
    // keep-alive.
    const { pending } = this;
    this.pump();
    if (this.isOver || this.pending < pending) return;
    // Every event of this channel before the mark has been sent, so the position may move to it.
    this.after = this.context.log.mark();
    this.send([], this.after);
  }
}

/** A corrupt event's payload is cut off, so that no client can read it by its schema. */
function payloadOf({ event, content }: EventMessage): Buffer {
  const payload = encodeEvent(content, event.schema);
  return event.isCorrupt === true ? payload.subarray(0, 5) : payload;
}
