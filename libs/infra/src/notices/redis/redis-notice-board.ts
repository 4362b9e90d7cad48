import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { commandsIn, needsOf } from '../../redis/needs.js';
import type { RedisClient } from '../../redis/redis-client.js';
import { NoticeBoard, type BoardState, type Notice, type NoticeFollower, type Post } from '../notice-board.js';
import { NOTICES_KEPT, SOURCE_LIFE_MS, SOURCES_KEPT } from '../notice-limits.js';
import { NoticeWindow } from '../notice-window.js';
import { NoticeBoardUnavailableError } from '../notices.errors.js';
import { BoardReader } from './board-reader.js';

const SCRIPT = readFileSync(new URL('./lua/post-notices.lua', import.meta.url), 'utf8');
/**
 * Maximum number of posts in one call of the script, so that it blocks Redis for a fraction of a millisecond at most.
 */
const POSTS_PER_SCRIPT = 200;
/** How long `since` waits if the caller names a notice that this process has not read yet. */
const CATCH_UP_MS = 1_000;
const CATCH_UP_STEP_MS = 10;
/** `<milliseconds>-<sequence>` (Redis documentation, "Entry IDs" of streams). */
const ENTRY_ID = /^(\d{1,19})-(\d{1,19})$/;

/** The board of all processes of an application: one capped stream in Redis. */
export class RedisNoticeBoard extends NoticeBoard {
  private readonly key: string;
  private readonly window: NoticeWindow;
  private readonly reader: BoardReader;
  private readonly followers = new Set<NoticeFollower>();

  /** @param keptMax approximate number of notices kept */
  constructor(
    private readonly redis: RedisClient,
    appName: string,
    private readonly keptMax = NOTICES_KEPT,
  ) {
    super();
    this.key = `{${appName}.notices}`;
    needsOf(redis).set(this.key, {
      part: 'notices for browsers',
      keys: [this.key, `${this.key}:sources`],
      keyPattern: `${this.key}*`,
      scratchKey: `${this.key}:pr`,
      commands: [...new Set([...commandsIn(SCRIPT), 'XADD', 'XRANGE', 'XREAD'])],
    });
    this.window = new NoticeWindow(keptMax);
    this.reader = new BoardReader(redis, this.key, this.window, {
      onNotice: (notice) => this.followers.forEach((follower) => follower.onNotice(notice)),
      onLost: () => this.followers.forEach((follower) => follower.onLost()),
    });
  }

  async publish(posts: readonly Post[]): Promise<number> {
    let count = 0;
    for (let i = 0; i < posts.length; i += POSTS_PER_SCRIPT)
      count += await this.post(posts.slice(i, i + POSTS_PER_SCRIPT));
    return count;
  }

  follow(follower: NoticeFollower): () => void {
    this.followers.add(follower);
    this.reader.start();
    return () => this.followers.delete(follower);
  }

  position(): string | undefined {
    return this.window.newest?.id;
  }

  async since(id: string, audiences: readonly string[]): Promise<readonly Notice[] | undefined> {
    const deadline = performance.now() + CATCH_UP_MS;
    while (this.isAhead(id) && performance.now() < deadline) await delay(CATCH_UP_STEP_MS);
    return this.window.since(id, audiences);
  }

  state(): BoardState {
    const { reason } = this.reader;
    return reason === undefined ? { status: 'up' } : { status: 'down', reason };
  }

  async close(): Promise<void> {
    this.followers.clear();
    await this.reader.close();
  }

  private async post(posts: readonly Post[]): Promise<number> {
    const args = posts.flatMap(({ name, audience, source = '' }) => [
      name,
      audience === null ? '*' : `=${audience}`,
      source,
    ]);
    const limits = [this.keptMax, SOURCES_KEPT, SOURCE_LIFE_MS];
    try {
      // EVAL, not EVALSHA: posts are rare beside reads, and a replaced server needs no second attempt.
      return Number(await this.redis.eval(SCRIPT, 2, this.key, `${this.key}:sources`, ...limits, ...args));
    } catch (error) {
      throw new NoticeBoardUnavailableError((error as Error).message, { cause: error });
    }
  }

  /** Whether this id may name a notice that another process has read and that has not arrived here yet. */
  private isAhead(id: string): boolean {
    const asked = ENTRY_ID.exec(id);
    if (!asked || this.window.has(id)) return false;
    const [, ms = 0, sequence = 0] = ENTRY_ID.exec(this.position() ?? '0-0') ?? [];
    const difference = BigInt(asked[1] as string) - BigInt(ms);
    return difference > 0n || (difference === 0n && BigInt(asked[2] as string) > BigInt(sequence));
  }
}
