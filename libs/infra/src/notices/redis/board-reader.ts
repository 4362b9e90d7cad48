import { setTimeout as delay } from 'node:timers/promises';
import type { RedisClient } from '../../redis/redis-client.js';
import { retryDelayMs } from '../../redis/lasting-redis.js';
import type { Notice } from '../notice-board.js';
import { BEGINNING, type NoticeWindow } from '../notice-window.js';
import { BLOCK_MS, boardConnection } from './board-connection.js';

/** Receives what the reader reads. */
export interface ReaderEvents {
  /** The next notice of the board. */
  onNotice(notice: Notice): void;
  /** The window holds another history than before, or one with a gap before it. */
  onLost(): void;
}

type StreamEntry = [id: string, fields: string[]];

const PAGE = 500;

/**
 * Keeps a window equal to the end of the board. It continues from the newest notice in the window, but only if Redis
 * still has that one: otherwise notices in between may be missing (trimmed while this process stood still, lost by a
 * restart or a failover), so it reads the board anew and calls `onLost`. Reconnects for as long as it lives.
 */
export class BoardReader {
  private readonly connection: RedisClient;
  private running: Promise<void> | undefined;
  private readonly closing = new AbortController();
  /** Why no notices arrive now; undefined while they do. */
  reason: string | undefined = 'the board has not been read yet';

  constructor(
    redis: RedisClient,
    private readonly key: string,
    private readonly window: NoticeWindow,
    private readonly events: ReaderEvents,
  ) {
    this.connection = boardConnection(redis);
  }

  start(): void {
    this.running ??= this.run();
  }

  async close(): Promise<void> {
    this.closing.abort();
    this.connection.disconnect();
    await this.running;
  }

  private async run(): Promise<void> {
    const { signal } = this.closing;
    for (let failures = 0; !signal.aborted;) {
      try {
        this.connect();
        if (!(await this.readOn())) await this.beginAnew();
        this.reason = undefined;
        failures = 0;
        await this.connection.xread('COUNT', 1, 'BLOCK', BLOCK_MS, 'STREAMS', this.key, this.newestId());
      } catch (error) {
        if (signal.aborted) return;
        const { status } = this.connection;
        // For a connection that is away ioredis reports only its own steps; the store's state says why Redis is away.
        const why = status === 'ready' ? (error as Error).message : 'the state of the store says why';
        this.reason = `the connection for notices is ${status}: ${why}`;
        // A connection that seems to work but fails (it hangs, or the server refuses) is replaced.
        if (status === 'ready') this.connection.disconnect(true);
        await delay(retryDelayMs(++failures), undefined, { signal }).catch(() => undefined); // closed: the loop ends
      }
    }
  }

  /** Ignores a failure: a connection that is not ready rejects the next command, and the loop retries after a pause. */
  private connect(): void {
    if (this.connection.status === 'wait') this.connection.connect().catch(() => undefined);
  }

  /**
   * Reads what follows the newest notice of the window. False if the window is empty or the board no longer holds that
   * notice.
   */
  private async readOn(): Promise<boolean> {
    const { newest } = this.window;
    if (!newest) return false;
    for (let last = newest.id; ;) {
      const [first, ...rest] = await this.page(last);
      if (first?.[0] !== last) return false;
      rest.forEach((entry) => this.take(entry));
      if (rest.length < PAGE) return true;
      last = this.newestId();
    }
  }

  private async beginAnew(): Promise<void> {
    let page = await this.page('-');
    if (page.length === 0) {
      await this.connection.xadd(this.key, '*', 'n', BEGINNING, 'a', '*');
      page = await this.page('-');
    }
    const history = [...page];
    while (page.length > PAGE) {
      page = await this.page(`(${history.at(-1)?.[0]}`);
      history.push(...page);
    }
    // The window changes and `onLost` is called in one turn of the event loop, so that nobody sees the new position
    // before the loss is reported.
    const hadHistory = this.window.newest !== undefined;
    this.window.clear();
    for (const entry of history) this.window.append(toNotice(entry));
    if (hadHistory) this.events.onLost();
  }

  private page(from: string): Promise<StreamEntry[]> {
    return this.connection.xrange(this.key, from, '+', 'COUNT', PAGE + 1);
  }

  private take(entry: StreamEntry): void {
    const notice = toNotice(entry);
    this.window.append(notice);
    if (notice.name !== BEGINNING) this.events.onNotice(notice);
  }

  private newestId(): string {
    return this.window.newest?.id ?? '0-0';
  }
}

function toNotice([id, fields]: StreamEntry): Notice {
  const [, name = BEGINNING, , audience = '*'] = fields;
  return { id, name, audience: audience === '*' ? null : audience.slice(1), at: Number(id.split('-', 1)[0]) };
}
