import { backOffMs, pause } from '../back-off.js';
import {
  type EventBatch,
  type GapReason,
  type TopicHandler,
  type TopicHealth,
  type TopicState,
  unheardTopic,
} from '../change-event-source.js';
import { isChannelOfSeveral } from './channels.js';
import { FollowedTime, ReplayCursor } from './followed.js';
import { happenedAt, type SourceEvent } from '../source-event.js';
import type { ResolvedStreamOptions } from '../stream.options.js';
import type { StreamJournal } from './stream-journal.js';
import { UnreadableObjects } from './unreadable-objects.js';

/** An event, the position of a keep-alive, or a gap, before which changes are unknown. */
type Arrival =
  | { readonly kind: 'event'; readonly event: SourceEvent; readonly arrivedAt: number }
  | { readonly kind: 'position'; readonly position: string }
  | Gap;

interface Gap {
  readonly kind: 'gap';
  readonly reason: GapReason;
  /** Objects that leave `unreadable` once this gap is handled. */
  readonly readable: readonly string[];
}

/** The content of one handler call. */
type Task = { readonly kind: 'batch'; readonly batch: EventBatch; readonly isUpToDate: boolean } | Gap;

/** How a topic was lost. */
export interface Loss {
  /** The stream did not report its end: nothing came for too long. @default false */
  readonly isSilent?: boolean | undefined;
  /** When something last came, by `performance.now()`. @default the topic's last sign of life */
  readonly aliveAt?: number | undefined;
}

/**
 * How long after its subscription an event must have happened to count as younger, by two clocks that may differ:
 * Salesforce's and ours.
 */
const CLOCKS_APART_MS = 2_000;

/**
 * After this long without an event or a keep-alive on the stream of a live topic, health says since when
 * (`silentSince`).
 */
const SILENT_MS = 60_000;

type Progress = Omit<
  TopicHealth,
  'topic' | 'transport' | 'events' | 'waiting' | 'behindMs' | 'silentSince' | 'unreadable'
>;

/**
 * Hands one topic's events to its handler: one batch at a time, each awaited, a rejected batch again with back-off
 * until it is taken or `stop` is called. Never skips and never reorders.
 */
export class TopicDelivery {
  /** Called whenever the handler has taken something: there may be room again. */
  onTaken: () => void = () => undefined;
  readonly unreadable = new UnreadableObjects();
  private readonly arrived: Arrival[] = [];
  private readonly stopping = new AbortController();
  private readonly cursor: ReplayCursor;
  private readonly counts: Record<string, number> = {};
  private readonly progress: { -readonly [Field in keyof Progress]: Progress[Field] };
  private running: Promise<void> | undefined;
  private eventCount = 0;
  private readonly followed = new FollowedTime();
  /**
   * When the oldest event of the batch in hand (given to the handler, not taken yet) arrived; undefined without one.
   */
  private inHandSince: number | undefined;
  /** When the events arrived that are being read at this moment; undefined if none are being read. */
  private readingSince: number | undefined;
  private subscribedAt = Infinity;
  /** When the stream of the topic last said something: its acceptance, an event or a keep-alive. */
  private heardAt = Infinity;

  constructor(
    readonly topic: string,
    readonly transport: string,
    readonly handler: TopicHandler,
    private readonly options: Pick<
      ResolvedStreamOptions,
      'queueMax' | 'batchMax' | 'settleMs' | 'catchUpMs' | 'handlerBackOff'
    >,
    private readonly journal: StreamJournal,
  ) {
    this.cursor = new ReplayCursor(isChannelOfSeveral(topic));
    this.progress = { ...unheardTopic(topic, transport) };
  }

  /**
   * Events have come, but are not offered yet: reading them takes time. Until `hasRead` they count in `behindMs` as
   * waiting.
   */
  reads(): void {
    this.readingSince ??= performance.now();
    this.followed.arrived();
  }

  hasRead(): void {
    this.readingSince = undefined;
  }

  /** Takes the event, or returns false when the queue is full: the sender must then stop reading and resume later. */
  offer(event: SourceEvent): boolean {
    if (this.eventCount >= this.options.queueMax) return false;
    this.progress.lastEventAt = this.heardAt = Date.now();
    this.followed.arrived();
    this.append({ kind: 'event', event, arrivedAt: performance.now() });
    return true;
  }

  /** Something came from Salesforce, of any kind. */
  seen(): void {
    this.progress.lastSeenAt = Date.now();
    this.followed.seen();
  }

  /** Salesforce has nothing to send; with a position, nothing of the topic happened up to there. */
  keptAlive(position?: string): void {
    this.progress.lastKeepAliveAt = this.heardAt = Date.now();
    // A CometD session reports its keep-alives for all topics, also for those that it has not subscribed yet.
    if (this.progress.state === 'live') this.followed.keptAlive();
    if (position === undefined) return;
    if (this.arrived.at(-1)?.kind === 'position') this.arrived.pop();
    this.append({ kind: 'position', position });
  }

  /** An attempt to subscribe begins. */
  connecting(): void {
    this.enter('connecting');
  }

  /** The subscription is live. If earlier changes are unknown, the handler receives the gap before any event of it. */
  subscribed(gap: GapReason | undefined): void {
    this.cursor.restart();
    this.subscribedAt = this.heardAt = Date.now();
    const readable = this.unreadable.subscribed();
    const reason = gap ?? (readable === undefined ? undefined : 'was-unreadable');
    if (reason === undefined) {
      this.enter('live');
      this.followed.resumed(this.options.catchUpMs);
      this.forgetTrouble();
    } else {
      this.followed.waits();
      this.append({ kind: 'gap', reason, readable: readable ?? [] });
    }
  }

  /**
   * The subscription is lost. Events that have arrived are still handed over; those that were being read come again.
   */
  lost(reason: string, { isSilent = false, aliveAt }: Loss = {}): void {
    this.followed.lost(this.oldestWaiting, isSilent, aliveAt);
    this.readingSince = undefined;
    this.enter('lost');
    this.progress.lastError = reason;
  }

  /** Counts a stream or session that has to be replaced. */
  reconnecting(): void {
    this.progress.reconnects += 1;
  }

  /** Whether something that arrived has not been handed over yet. */
  get isBusy(): boolean {
    return this.running !== undefined;
  }

  /** Number of events that arrived and are not taken, those in hand included. */
  get waiting(): number {
    return this.eventCount;
  }

  /**
   * Resolves when the handler has taken everything that arrived, so that the committed position is up to date, or when
   * `stop` has discarded it.
   */
  async drained(): Promise<void> {
    while (this.running !== undefined) await this.running;
  }

  /**
   * Resolves when the handler is not running and will not be called again. Waiting events are discarded; they come
   * again after the committed position.
   */
  async stop(): Promise<void> {
    this.followed.lost(this.oldestWaiting, false, performance.now());
    this.stopping.abort();
    this.arrived.length = 0;
    this.progress.state = 'stopped';
    await this.drained();
    this.eventCount = 0;
  }

  health(): TopicHealth {
    const { topic, transport, counts, eventCount, progress } = this;
    const behindMs = this.followed.behindMs(this.oldestWaiting);
    const unreadable = this.unreadable.all;
    const isSilent = progress.state === 'live' && Date.now() - this.heardAt >= SILENT_MS;
    const silentSince = isSilent ? this.heardAt : undefined;
    return {
      ...progress,
      silentSince,
      topic,
      transport,
      events: { ...counts },
      waiting: eventCount,
      behindMs,
      unreadable,
    };
  }

  /** When the oldest event that is not taken yet arrived; undefined if there is none. */
  private get oldestWaiting(): number | undefined {
    const first = this.arrived.find((arrival) => arrival.kind === 'event');
    return this.inHandSince ?? (first?.kind === 'event' ? first.arrivedAt : undefined) ?? this.readingSince;
  }

  private enter(state: TopicState): void {
    if (this.progress.state !== 'stopped') this.progress.state = state;
  }

  private append(arrival: Arrival): void {
    if (this.stopping.signal.aborted) return;
    this.arrived.push(arrival);
    if (arrival.kind === 'event') this.eventCount += 1;
    this.running ??= this.run();
  }

  private async run(): Promise<void> {
    // Leave the caller's stack: the caller is reading the stream, and `running` must be set before the handler can
    // cause another arrival.
    await Promise.resolve();
    for (let task = this.nextTask(); task !== undefined; task = this.nextTask()) {
      if (await this.handOver(task)) this.onTaken();
      if (this.stopping.signal.aborted) break;
    }
    // Reset in the same turn that found the queue empty: a later arrival starts a new run.
    this.running = undefined;
    this.forgetTrouble();
  }

  /** The gap at the head of the queue, or a batch of the arrivals before the next gap. */
  private nextTask(): Task | undefined {
    const [head] = this.arrived;
    if (head === undefined) return undefined;
    if (head.kind === 'gap') {
      this.arrived.shift();
      return head;
    }
    const events: SourceEvent[] = [];
    let keepAlive: string | undefined;
    let count = 0;
    for (const arrival of this.arrived) {
      if (arrival.kind === 'gap' || events.length >= this.options.batchMax) break;
      if (arrival.kind === 'event') {
        this.inHandSince ??= arrival.arrivedAt;
        events.push(arrival.event);
      }
      keepAlive = arrival.kind === 'position' ? arrival.position : undefined;
      count += 1;
    }
    this.arrived.splice(0, count);
    const position = this.cursor.after(events);
    if (keepAlive !== undefined) this.cursor.keptAlive(keepAlive);
    const isUpToDate = keepAlive !== undefined || this.isYoung(events.at(-1));
    return { kind: 'batch', batch: Object.freeze({ events, position: keepAlive ?? position }), isUpToDate };
  }

  /** Whether the event happened after the subscription, so that no missed event can come after it. */
  private isYoung(event: SourceEvent | undefined): boolean {
    const at = event && happenedAt(event);
    return at !== undefined && at >= this.subscribedAt + CLOCKS_APART_MS;
  }

  /** Clears the last error once the topic is live and drained. */
  private forgetTrouble(): void {
    if (this.progress.state === 'live' && !this.isBusy) this.progress.lastError = undefined;
  }

  /** Resolves with false only if stopped before the handler took the task. */
  private async handOver(task: Task): Promise<boolean> {
    const { progress, options } = this;
    const { signal } = this.stopping;
    progress.pendingSince = Date.now();
    progress.failures = 0;
    if (task.kind === 'gap') await pause(options.settleMs, signal);
    for (let attempt = 0; !signal.aborted; attempt++) {
      try {
        await (task.kind === 'gap' ? this.handler.onGap(task.reason) : this.handler.onEvents(task.batch));
        this.taken(task);
        return true;
      } catch (error) {
        progress.retries += 1;
        progress.failures += 1;
        progress.lastError = error instanceof Error ? error.message : String(error);
        this.journal.notApplied(this.topic, nameOf(task), progress.failures, progress.lastError);
        await pause(backOffMs(attempt, options.handlerBackOff), signal);
      }
    }
    return false;
  }

  private taken(task: Task): void {
    const { progress, counts } = this;
    this.journal.applied(this.topic, nameOf(task), progress.failures);
    progress.pendingSince = undefined;
    progress.failures = 0;
    if (task.kind === 'gap') {
      progress.gaps += 1;
      this.unreadable.readable(task.readable);
      // The topic may have been lost again meanwhile. Then newer changes are unknown as well, and it does not become
      // live.
      if (progress.state === 'connecting') {
        progress.state = 'live';
        this.followed.begun();
      }
      return;
    }
    const { events, position } = task.batch;
    this.eventCount -= events.length;
    this.inHandSince = undefined;
    if (task.isUpToDate) this.followed.caughtUp();
    this.followed.note(this.oldestWaiting);
    progress.lastPosition = position ?? progress.lastPosition;
    for (const event of events) {
      const name = event.kind === 'change' ? event.changeType : event.kind;
      counts[name] = (counts[name] ?? 0) + 1;
      if (event.kind === 'change') progress.lastCommitTimestamp = event.commitTimestamp;
    }
  }
}

function nameOf(task: Task): string {
  if (task.kind === 'gap') return 'a gap';
  const { events, position } = task.batch;
  if (events.length === 0) return `position ${position ?? 'unknown'}`;
  const ids = [events[0], events.at(-1)].map((event) => event?.replayId ?? 'without a replay id');
  return events.length === 1 ? `event ${ids[0]}` : `${events.length} events (${ids[0]} to ${ids[1]})`;
}
