import { randomUUID } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { NoticeBoard, type BoardState, type Notice, type NoticeFollower, type Post } from '../notice-board.js';
import { NOTICES_KEPT, SOURCE_LIFE_MS, SOURCES_KEPT } from '../notice-limits.js';
import { BEGINNING, NoticeWindow } from '../notice-window.js';

/** The board of a single process. It ends with the process: it does not know the ids of another run. */
export class MemoryNoticeBoard extends NoticeBoard {
  private readonly run = randomUUID();
  private readonly window: NoticeWindow;
  private readonly sources = new LRUCache<string, true>({ max: SOURCES_KEPT, ttl: SOURCE_LIFE_MS });
  private readonly followers = new Set<NoticeFollower>();
  private count = 0;

  /** @param keptMax approximate number of notices kept */
  constructor(keptMax = NOTICES_KEPT) {
    super();
    this.window = new NoticeWindow(keptMax);
    this.append(BEGINNING, null);
  }

  async publish(posts: readonly Post[]): Promise<number> {
    const news = new Map<string, Post>();
    for (const post of posts) {
      const kind = JSON.stringify([post.name, post.audience]);
      if (this.isNews(kind, post.source)) news.set(kind, post);
    }
    for (const { name, audience } of news.values()) {
      const notice = this.append(name, audience);
      for (const follower of this.followers) follower.onNotice(notice);
    }
    return news.size;
  }

  follow(follower: NoticeFollower): () => void {
    this.followers.add(follower);
    return () => this.followers.delete(follower);
  }

  position(): string | undefined {
    return this.window.newest?.id;
  }

  async since(id: string, audiences: readonly string[]): Promise<readonly Notice[] | undefined> {
    return this.window.since(id, audiences);
  }

  state(): BoardState {
    return { status: 'up' };
  }

  async close(): Promise<void> {
    this.followers.clear();
  }

  private isNews(kind: string, source: string | undefined): boolean {
    if (source === undefined) return true;
    const key = `${source}\0${kind}`;
    if (this.sources.has(key)) return false;
    this.sources.set(key, true);
    return true;
  }

  private append(name: string, audience: string | null): Notice {
    const notice: Notice = { id: `${this.run}-${++this.count}`, name, audience, at: Date.now() };
    this.window.append(notice);
    return notice;
  }
}
