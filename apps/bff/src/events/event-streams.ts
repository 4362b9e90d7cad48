import { APP_CONFIG } from '@bff/infra/config/application-config';
import type { AppConfig } from '@bff/modules/config/app-config';
import { Readiness } from '@bff/infra/health/readiness';
import { NoticeBoard, type BoardState, type Notice, type NoticeFollower } from '@bff/infra/notices/notice-board';
import { RESYNC, type Audience } from '@bff/modules/notifications/notification.types';
import { Inject, Injectable, Logger, type BeforeApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { problem, ProblemError } from '../problems/problem.js';
import type { ClosingReason } from './event-frames.js';
import { EventStream, type Outlet } from './event-stream.js';

/** The user to whom a stream belongs, and until when it may last. */
export interface Subscriber {
  /** Streams are counted by account. */
  readonly account: string;
  /** The audiences whose notices the stream gets, in addition to the notices for all users. */
  readonly audiences: readonly Audience[];
  /** When the token ends, in milliseconds since the epoch. */
  readonly expiresAt: number;
  /**
   * Whether the user still acts for this account; asked at each notice that the eligibility of this account changed,
   * which every change of its record causes, and periodically.
   */
  readonly isStillAllowed: () => Promise<boolean>;
}

/** The open streams of this process, and what it has sent and dropped since it began. */
export interface StreamsState {
  readonly streams: number;
  readonly noticesSent: number;
  readonly droppedSlow: number;
  readonly board: BoardState;
}

interface OpenStream {
  readonly stream: EventStream;
  readonly subscriber: Subscriber;
  readonly end: NodeJS.Timeout;
  readonly looks: NodeJS.Timeout;
}

/**
 * The `coalesceMs` of every stream: however fast data of one kind changes, a browser reads it at most four times a
 * second.
 */
const COALESCE_MS = 250;
/**
 * Maximum life of a stream, whatever its token allows, so that browsers also reach new processes. Each stream ends up
 * to a tenth earlier, by chance, so that they do not all reconnect at once.
 */
const LIFETIME_MS = 3_600_000;
/**
 * How often a stream checks that its user still acts for the account, besides at each `eligibility.changed` to that
 * account: while no process follows the events, there is no such notice. The mapping is nearly always in the cache;
 * while the feed of accounts is not trusted, a thousand idle streams cost the source 200 queries a minute.
 */
const LOOK_MS = 300_000;
const RETRY_AFTER_SECONDS = 5;

/**
 * The event streams of this process. Their number is bounded, each receives the notices that concern it, and all end
 * with the process.
 */
@Injectable()
export class EventStreams implements OnModuleInit, BeforeApplicationShutdown, NoticeFollower {
  private readonly logger = new Logger(EventStreams.name);
  private readonly open = new Set<OpenStream>();
  private readonly byAudience = new Map<Audience, Set<OpenStream>>();
  private readonly countByAccount = new Map<string, number>();
  private unfollow: (() => void) | undefined;
  private heartbeat: NodeJS.Timeout | undefined;
  private isClosing = false;
  private toldByClosed = 0;
  private droppedSlow = 0;

  constructor(
    @Inject(NoticeBoard) private readonly board: NoticeBoard,
    @Inject(APP_CONFIG) private readonly config: AppConfig,
    private readonly readiness: Readiness,
  ) {}

  onModuleInit(): void {
    this.unfollow = this.board.follow(this);
    this.heartbeat = setInterval(() => this.beat(), this.config.sse.heartbeatMs).unref();
  }

  /** Ends every stream with a last event, so that its browser reconnects elsewhere; accepts no new one from here on. */
  async beforeApplicationShutdown(): Promise<void> {
    this.isClosing = true;
    clearInterval(this.heartbeat);
    this.unfollow?.();
    const soon = () => Math.ceil(Math.random() * this.config.sse.retryMs);
    await Promise.all([...this.open].map(({ stream }) => stream.close('shutdown', soon())));
  }

  state(): StreamsState {
    const toldByOpen = [...this.open].reduce((sum, { stream }) => sum + stream.told, 0);
    return {
      streams: this.open.size,
      noticesSent: this.toldByClosed + toldByOpen,
      droppedSlow: this.droppedSlow,
      board: this.board.state(),
    };
  }

  /** Throws the problem to answer with if no stream can be opened for this account now. */
  admit(account: string): void {
    const { streamsMax, streamsPerAccountMax } = this.config.sse;
    if (this.isClosing || this.readiness.current === 'draining') throw refused('This process is shutting down.');
    if (this.board.position() === undefined) throw refused('Changes are not known at present.');
    if (this.open.size >= streamsMax) throw refused('Too many event streams are open.');
    if ((this.countByAccount.get(account) ?? 0) < streamsPerAccountMax) return;
    const detail = `This account has ${streamsPerAccountMax} event streams open. Close one, or share one between tabs.`;
    throw new ProblemError(problem(429, 'too-many-streams', 'Too many event streams', detail, RETRY));
  }

  /**
   * Sends the subscriber, through the outlet, the notices since `lastEventId` if they are known, and then every new
   * one. Call it in the same turn of the event loop as `admit`. Returns the function to call when the browser leaves.
   */
  add(subscriber: Subscriber, outlet: Outlet, lastEventId: string | undefined): () => void {
    const { bufferMaxBytes, retryMs } = this.config.sse;
    const options = { coalesceMs: COALESCE_MS, bufferMaxBytes, retryMs };
    const stream = new EventStream(outlet, options, (reason) => this.remove(opened, reason));
    const lifetimeMs = LIFETIME_MS * (0.9 + Math.random() / 10);
    const tokenMs = Math.max(0, subscriber.expiresAt - Date.now());
    const isOfToken = tokenMs <= lifetimeMs;
    const end = setTimeout(
      () => void stream.close(isOfToken ? 'token-expired' : 'lifetime'),
      Math.min(tokenMs, lifetimeMs),
    ).unref();
    const looks = setInterval(() => void this.look(stream, subscriber), LOOK_MS).unref();
    const opened: OpenStream = { stream, subscriber, end, looks };
    this.register(opened);
    void this.begin(stream, lastEventId);
    return () => stream.abandoned();
  }

  onNotice(notice: Notice): void {
    if (notice.audience === null) {
      for (const { stream } of this.open) stream.tell(notice);
      return;
    }
    for (const { stream, subscriber } of this.byAudience.get(notice.audience as Audience) ?? []) {
      stream.tell(notice);
      if (notice.name === 'eligibility.changed') void this.look(stream, subscriber);
    }
  }

  onLost(): void {
    const id = this.board.position();
    if (id !== undefined) this.onNotice({ id, name: RESYNC, audience: null, at: Date.now() });
  }

  private async begin(stream: EventStream, lastEventId: string | undefined): Promise<void> {
    const missed = lastEventId === undefined ? [] : await this.board.since(lastEventId);
    stream.open(missed, this.board.position(), lastEventId !== undefined);
  }

  private beat(): void {
    const position = this.board.position();
    for (const { stream } of this.open) stream.heartbeat(position);
  }

  /** Closes the stream if its user no longer acts for the account: a changed account may name another user. */
  private async look(stream: EventStream, { isStillAllowed }: Subscriber): Promise<void> {
    try {
      if (!(await isStillAllowed())) await stream.close('account-changed');
    } catch (error) {
      this.logger.debug(`whose stream it is could not be looked up: ${(error as Error).message}`);
    }
  }

  private register(opened: OpenStream): void {
    const { account, audiences } = opened.subscriber;
    this.open.add(opened);
    this.countByAccount.set(account, (this.countByAccount.get(account) ?? 0) + 1);
    for (const audience of audiences) {
      const streams = this.byAudience.get(audience) ?? new Set();
      this.byAudience.set(audience, streams.add(opened));
    }
  }

  private remove(opened: OpenStream, reason: ClosingReason | undefined): void {
    const { account, audiences } = opened.subscriber;
    clearTimeout(opened.end);
    clearInterval(opened.looks);
    this.open.delete(opened);
    const count = (this.countByAccount.get(account) ?? 1) - 1;
    if (count === 0) this.countByAccount.delete(account);
    else this.countByAccount.set(account, count);
    for (const audience of audiences) {
      const streams = this.byAudience.get(audience);
      streams?.delete(opened);
      if (streams?.size === 0) this.byAudience.delete(audience);
    }
    this.toldByClosed += opened.stream.told;
    if (reason === 'slow-consumer') this.droppedSlow += 1;
  }
}

const RETRY = { retryAfterSeconds: RETRY_AFTER_SECONDS };

function refused(detail: string): ProblemError {
  return new ProblemError(problem(503, 'no-event-stream', 'No event stream', `${detail} Try again later.`, RETRY));
}
