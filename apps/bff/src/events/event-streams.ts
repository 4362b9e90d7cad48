import { APP_CONFIG } from '@bff/infra/config/application-config';
import type { AppConfig } from '@bff/modules/config/app-config';
import { NoticeBoard, type BoardState, type Notice, type NoticeFollower } from '@bff/infra/notices/notice-board';
import { RESYNC, type Audience, type ChangeName } from '@bff/modules/notifications/notification.types';
import { Inject, Injectable, type BeforeApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { problem, ProblemError } from '../problems/problem.js';
import { AccountLooks } from './account-looks.js';
import type { ClosingReason } from './event-frames.js';
import { EventStream, type Outlet } from './event-stream.js';
import { OpenStreams, type OpenStream, type Subscriber } from './open-streams.js';
import { ResumeIds } from './resume-ids.js';

/** The open streams of this process, and what it has sent and dropped since it began. */
export interface StreamsState {
  readonly streams: number;
  readonly noticesSent: number;
  readonly droppedSlow: number;
  /** Closed to make room for an account that had fewer. */
  readonly replaced: number;
  readonly board: BoardState;
}

/**
 * The `coalesceMs` of every stream: however fast data of one kind changes, a browser reads it at most four times a
 * second, and once more with each heartbeat.
 */
const COALESCE_MS = 250;
/**
 * Maximum life of a stream, whatever its token allows, so that browsers also reach new processes. Each stream ends up
 * to a tenth earlier, by chance, so that they do not all reconnect at once.
 */
const LIFETIME_MS = 3_600_000;
/**
 * How often a stream checks that its user still acts for the account, besides when it opens and when a notice gives a
 * reason to: while no process follows the events, there is no notice. The mapping is nearly always in the cache; while
 * the feed of accounts is not trusted, a thousand idle streams cost the source 200 queries a minute.
 */
const LOOK_MS = 300_000;
const RETRY_AFTER_SECONDS = 5;

/** These notices for everybody may mean that any user has lost an account. */
const DOUBTS: ReadonlySet<string> = new Set<ChangeName | typeof RESYNC>(['eligibility.changed', RESYNC]);

/**
 * The event streams of this process. Their number is bounded and shared between accounts, each receives the notices
 * that concern it and no others, also when it resumes, and all end with the process.
 */
@Injectable()
export class EventStreams implements OnModuleInit, BeforeApplicationShutdown, NoticeFollower {
  private readonly open = new OpenStreams();
  private readonly looks = new AccountLooks();
  private readonly ids: ResumeIds;
  private unfollow: (() => void) | undefined;
  private heartbeat: NodeJS.Timeout | undefined;
  private isClosing = false;
  private toldByClosed = 0;
  private droppedSlow = 0;
  private replaced = 0;

  constructor(
    @Inject(NoticeBoard) private readonly board: NoticeBoard,
    @Inject(APP_CONFIG) private readonly config: AppConfig,
  ) {
    this.ids = new ResumeIds(config.auth.pseudonymKey);
  }

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
      replaced: this.replaced,
      board: this.board.state(),
    };
  }

  /**
   * Throws the problem to answer with if no stream can be opened for this account now. While the process drains one
   * can: a browser's `EventSource` never comes back after a 503.
   */
  admit(account: string): void {
    const { streamsPerAccountMax } = this.config.sse;
    if (this.isClosing) throw refused('This process is shutting down.');
    if (this.board.position() === undefined) throw refused('Changes are not known at present.');
    if (this.open.countOf(account) >= streamsPerAccountMax) {
      const detail = `This account has ${streamsPerAccountMax} event streams open. Close one, or share one between tabs.`;
      throw new ProblemError(problem(429, 'too-many-streams', 'Too many event streams', detail, RETRY));
    }
    if (this.isFull() && !this.open.victimFor(account))
      throw refused('Too many event streams are open.', 'event-streams-full');
  }

  /**
   * Sends the subscriber, through the outlet, the notices since `lastEventId` (a `resync` if they are not known), and
   * then the new ones. Call it in the same turn of the event loop as `admit`. Returns the function to call when the
   * browser leaves.
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
    const looks = setInterval(() => void this.looks.look(opened), LOOK_MS).unref();
    const opened: OpenStream = { stream, subscriber, end, looks };
    if (this.isFull()) void this.open.victimFor(subscriber.account)?.stream.close('replaced');
    this.open.add(opened);
    void this.begin(opened, lastEventId);
    return () => stream.abandoned();
  }

  onNotice(notice: Notice): void {
    const isForAll = notice.audience === null;
    const concerned = isForAll ? this.open : this.open.ofAudience(notice.audience as Audience);
    const sealed = { ...notice, id: this.ids.seal(notice.id) };
    for (const opened of concerned) {
      opened.stream.tell(sealed);
      if (!isForAll && notice.name === 'eligibility.changed') void this.looks.look(opened);
    }
    if (isForAll && DOUBTS.has(notice.name)) this.looks.lookAtAll(this.open);
  }

  onLost(): void {
    const id = this.board.position();
    if (id !== undefined) this.onNotice({ id, name: RESYNC, audience: null, at: Date.now() });
  }

  private async begin(opened: OpenStream, lastEventId: string | undefined): Promise<void> {
    const { stream, subscriber } = opened;
    // The account may have changed since the request was let in, and only open streams hear of that.
    void this.looks.look(opened);
    const missed = lastEventId === undefined ? [] : await this.missedSince(lastEventId, subscriber.audiences);
    stream.open(missed, this.position(), lastEventId !== undefined);
  }

  private async missedSince(lastEventId: string, audiences: readonly Audience[]): Promise<Notice[] | undefined> {
    const place = this.ids.open(lastEventId);
    const missed = place === undefined ? undefined : await this.board.since(place, audiences);
    return missed?.map((notice) => ({ ...notice, id: this.ids.seal(notice.id) }));
  }

  private position(): string | undefined {
    const place = this.board.position();
    return place === undefined ? undefined : this.ids.seal(place);
  }

  private beat(): void {
    const position = this.position();
    for (const { stream } of this.open) stream.heartbeat(position);
  }

  private isFull(): boolean {
    return this.open.size >= this.config.sse.streamsMax;
  }

  private remove(opened: OpenStream, reason: ClosingReason | undefined): void {
    clearTimeout(opened.end);
    clearInterval(opened.looks);
    this.open.remove(opened);
    this.looks.forget(opened);
    this.toldByClosed += opened.stream.told;
    if (reason === 'slow-consumer') this.droppedSlow += 1;
    if (reason === 'replaced') this.replaced += 1;
  }
}

const RETRY = { retryAfterSeconds: RETRY_AFTER_SECONDS };

function refused(detail: string, kind: 'no-event-stream' | 'event-streams-full' = 'no-event-stream'): ProblemError {
  return new ProblemError(problem(503, kind, 'No event stream', `${detail} Try again later.`, RETRY));
}
