import { StoreUnavailableError } from '../cache.errors.js';
import type { FeedAges } from '../cache.types.js';
import { reportDefect } from '../../process/defect-report.js';
import { hitClock } from '../../process/hit-clock.js';
import { settlesWithin } from '../../process/settles-within.js';

/**
 * Maximum time between an answer and the next poll: a poll is a small command, and a second is a small part of a usual
 * `maxAgeSeconds`. For a `maxAgeSeconds` below four seconds, the time is a quarter of it.
 */
const PERIOD_MS = 1000;
/** How long `start` waits for the first answer about the feeds; then reads begin without trust in any feed. */
const FIRST_MS = 1000;
/** The store reports whole milliseconds: two answers about one instant may differ by this much. */
const ROUNDING_MS = 2;

/** The trust in entries whose changes certain feeds announce. */
export interface FeedTrust {
  /**
   * Entries may be served at any age before this instant on the scale of `hitClock()`. Each read must look at that
   * clock itself: a timer would still say yes in a process that has stood still.
   */
  readonly trustedUntil: number;
  /** The maximum age at which they may be served from that instant on. */
  readonly maxAgeSeconds: number;
}

interface WatchedFeeds extends FeedTrust {
  readonly names: readonly string[];
  trustedUntil: number;
}

/**
 * Until when this process can rely on the feeds that announce changes. A feed that was up to date at some instant
 * vouches for `maxAgeSeconds` from there; a feed that no process has followed yet vouches for nothing. Trust without
 * news runs out by itself, so a store that is away or a poll that fails needs no handling.
 */
export class ChangeFeeds {
  private readonly watched = new Map<string, WatchedFeeds>();
  /** For each feed, an instant by this process' clock at which it was up to date. */
  private readonly upToDateAt = new Map<string, number>();
  private timer: NodeJS.Timeout | undefined;
  private state: 'new' | 'started' | 'stopped' = 'new';
  private polling: Promise<void> | undefined;
  private readonly periodMs: number;

  constructor(
    private readonly feeds: FeedAges,
    private readonly maxAgeSeconds: number,
    private readonly clock: () => number = hitClock,
  ) {
    this.periodMs = Math.min(PERIOD_MS, maxAgeSeconds * 250);
  }

  /** The trust in all of these feeds together, kept up to date from `start` on. The same object for the same feeds. */
  watch(names: readonly string[]): FeedTrust {
    const sorted = [...new Set(names)].sort();
    const id = JSON.stringify(sorted);
    const known = this.watched.get(id);
    if (known) return known;
    const feeds = { names: sorted, trustedUntil: -Infinity, maxAgeSeconds: this.maxAgeSeconds };
    this.watched.set(id, feeds);
    this.judge(feeds);
    if (this.state === 'started') this.polling ??= this.follow();
    return feeds;
  }

  /** All watched feeds, each once. */
  names(): readonly string[] {
    return [...new Set([...this.watched.values()].flatMap(({ names }) => names))].sort();
  }

  /**
   * Starts polling, or lets the first `watch` start it. Resolves when the first poll has ended, after a second at most;
   * at once if no feed is watched.
   */
  async start(): Promise<void> {
    if (this.state !== 'new') return;
    this.state = 'started';
    if (this.watched.size === 0) return;
    this.polling = this.follow();
    await settlesWithin(this.polling, FIRST_MS);
  }

  stop(): void {
    this.state = 'stopped';
    clearTimeout(this.timer);
  }

  /** One poll; the next one follows a period after the answer. Never rejects. */
  private async follow(): Promise<void> {
    await this.poll();
    if (this.state !== 'started') return;
    this.timer = setTimeout(() => void this.follow(), this.periodMs).unref();
  }

  private async poll(): Promise<void> {
    const sentAt = this.clock();
    try {
      const ages = await this.feeds.feedAges();
      const answeredAt = this.clock();
      for (const [name, ageMs] of ages) this.learn(name, Math.max(0, ageMs), sentAt, answeredAt);
      for (const feeds of this.watched.values()) this.judge(feeds);
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) reportDefect(error);
    }
  }

  /**
   * The store looked at some instant between `sentAt` and `answeredAt`, so the feed was up to date at some instant from
   * `sentAt - ageMs` to `answeredAt - ageMs`. The earliest counts. A slow answer withdraws nothing. An answer that
   * contradicts an earlier one does: the process that follows the feed has found out that it had missed something.
   */
  private learn(name: string, ageMs: number, sentAt: number, answeredAt: number): void {
    const before = this.upToDateAt.get(name) ?? -Infinity;
    const isWithdrawn = answeredAt - ageMs + ROUNDING_MS < before;
    if (isWithdrawn || sentAt - ageMs > before) this.upToDateAt.set(name, sentAt - ageMs);
  }

  private judge(feeds: WatchedFeeds): void {
    const since = Math.min(...feeds.names.map((name) => this.upToDateAt.get(name) ?? -Infinity));
    feeds.trustedUntil = since + this.maxAgeSeconds * 1000;
  }
}
