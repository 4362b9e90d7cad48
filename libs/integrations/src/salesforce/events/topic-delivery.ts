import { backOffMs, pause } from './back-off.js';
import type { TopicHandler, TopicHealth, TopicState } from './change-event-source.js';
import type { ResolvedCometdOptions } from './cometd.options.js';
import type { SourceEvent } from './source-event.js';
import type { StreamJournal } from './stream-journal.js';

type Task =
  { readonly kind: 'event'; readonly event: SourceEvent } | { readonly kind: 'gap'; readonly reason: GapReason };
/** Why it is not known what happened before. */
export type GapReason = 'no-position' | 'position-expired';

/**
 * The way of one topic's events to its handler: one after the other, each awaited, a rejected one again and again with
 * back-off until it is taken or `stop` is called. Never skips and never reorders.
 */
export class TopicDelivery {
  private readonly tasks: Task[] = [];
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;
  private state: TopicState = 'connecting';
  private readonly counts: Record<string, number> = {};
  private retries = 0;
  private reconnects = 0;
  private gaps = 0;
  private lastEventAt: number | undefined;
  private lastError: string | undefined;
  private pendingSince: number | undefined;
  private failures = 0;

  constructor(
    readonly topic: string,
    private readonly handler: TopicHandler,
    private readonly options: Pick<ResolvedCometdOptions, 'queueMax' | 'settleMs' | 'handlerBackOff'>,
    private readonly journal: StreamJournal,
  ) {}

  /** Takes the event, or answers false when the queue is full: then the sender must stop reading and come back later. */
  offer(event: SourceEvent): boolean {
    if (this.tasks.length >= this.options.queueMax) return false;
    this.lastEventAt = Date.now();
    this.append({ kind: 'event', event });
    return true;
  }

  /** An attempt to subscribe begins. */
  connecting(): void {
    if (this.state !== 'stopped') this.state = 'connecting';
  }

  /** The subscription is live; before any event of it the handler is told if what came before is unknown. */
  subscribed(gap: GapReason | undefined): void {
    if (gap === undefined) {
      this.state = 'live';
      this.forgetTrouble();
    } else {
      this.append({ kind: 'gap', reason: gap });
    }
  }

  /** Nothing arrives at present. What has arrived is still handed over. */
  lost(reason: string): void {
    if (this.state !== 'stopped') this.state = 'lost';
    this.lastError = reason;
  }

  /** Counts a session that has to be replaced. */
  reconnecting(): void {
    this.reconnects += 1;
  }

  /** Whether something that arrived has not been handed over yet. */
  get isBusy(): boolean {
    return this.running !== undefined;
  }

  /** Resolves when everything that arrived has been handed over; from then on the committed position is the exact one. */
  async drained(): Promise<void> {
    while (this.running !== undefined) await this.running;
  }

  /** Resolves when the handler is not running and will not be called again. What was waiting is left to the position. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.tasks.length = 0;
    this.state = 'stopped';
    await this.drained();
  }

  health(lastSeenAt: number | undefined): TopicHealth {
    const { topic, state, lastEventAt, retries, reconnects, gaps, pendingSince, failures, lastError } = this;
    const events = { ...this.counts };
    return {
      topic,
      state,
      lastEventAt,
      lastSeenAt,
      events,
      retries,
      reconnects,
      gaps,
      pendingSince,
      failures,
      lastError,
    };
  }

  private append(task: Task): void {
    if (this.stopping.signal.aborted) return;
    this.tasks.push(task);
    this.running ??= this.run();
  }

  private async run(): Promise<void> {
    // Not in the caller's stack: the caller is the reader of the stream, and a handler may throw before its first await.
    await Promise.resolve();
    for (let task = this.tasks[0]; task !== undefined; task = this.tasks[0]) {
      if (await this.handOver(task)) this.tasks.shift();
      if (this.stopping.signal.aborted) break;
    }
    // In the same turn in which the queue was seen empty: a task that comes now starts a new run.
    this.running = undefined;
    this.forgetTrouble();
  }

  /** What is over is not shown any more, once the topic is live and drained. */
  private forgetTrouble(): void {
    if (this.state === 'live' && !this.isBusy) this.lastError = undefined;
  }

  /** False only when stopped before the handler took the task. */
  private async handOver(task: Task): Promise<boolean> {
    const { signal } = this.stopping;
    this.pendingSince = Date.now();
    this.failures = 0;
    if (task.kind === 'gap') await pause(this.options.settleMs, signal);
    for (let attempt = 0; !signal.aborted; attempt++) {
      try {
        await (task.kind === 'gap' ? this.handler.onGap(task.reason) : this.handler.onEvent(task.event));
        this.handedOver(task);
        return true;
      } catch (error) {
        this.retries += 1;
        this.failures += 1;
        this.lastError = error instanceof Error ? error.message : String(error);
        this.journal.notApplied(this.topic, nameOf(task), this.failures, this.lastError);
        await pause(backOffMs(attempt, this.options.handlerBackOff), signal);
      }
    }
    return false;
  }

  private handedOver(task: Task): void {
    this.journal.applied(this.topic, nameOf(task), this.failures);
    this.pendingSince = undefined;
    this.failures = 0;
    if (task.kind === 'gap') {
      this.gaps += 1;
      if (this.state === 'connecting') this.state = 'live';
    } else {
      const name = task.event.kind === 'change' ? task.event.changeType : task.event.kind;
      this.counts[name] = (this.counts[name] ?? 0) + 1;
    }
  }
}

function nameOf(task: Task): string {
  return task.kind === 'gap' ? 'a gap' : `event ${task.event.replayId ?? 'without a replay id'}`;
}
