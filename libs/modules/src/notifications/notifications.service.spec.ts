import { MemoryNoticeBoard } from '@bff/infra/notices/memory/memory-notice-board';
import type { Post } from '@bff/infra/notices/notice-board';
import { NoticeBoardUnavailableError } from '@bff/infra/notices/notices.errors';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { Notification } from './notification.types.js';
import { Notifications } from './notifications.service.js';

/** A board that rejects while it is away. */
class AwayBoard extends MemoryNoticeBoard {
  isAway = true;
  readonly posted: string[] = [];
  readonly asked: Post[] = [];
  tries = 0;

  override async publish(posts: readonly Post[]): Promise<number> {
    this.tries += 1;
    if (this.isAway) throw new NoticeBoardUnavailableError('it is away');
    this.asked.push(...posts);
    this.posted.push(...posts.map(({ name, audience }) => `${name} ${audience ?? 'all'}`));
    return super.publish(posts);
  }
}

beforeEach(() => {
  jest.useFakeTimers();
  Logger.overrideLogger(false);
});
afterEach(() => void jest.useRealTimers());

describe('notifications', () => {
  it('that cannot be sent become one resync of everybody when the board is back, and nothing rejects', async () => {
    const board = new AwayBoard();
    const notifications = new Notifications(board);
    for (const audience of ['account:a', 'account:b'] as const) {
      await notifications.tell([{ name: 'orders.changed', audience }]);
    }
    await jest.advanceTimersByTimeAsync(3_000);
    expect(board.posted).toEqual([]);
    board.isAway = false;
    await jest.advanceTimersByTimeAsync(60_000);
    expect(board.posted).toEqual(['resync all']);
    await notifications.tell([{ name: 'orders.changed', audience: 'account:a' }]);
    expect(board.posted).toEqual(['resync all', 'orders.changed account:a']);
    board.isAway = true;
    await notifications.tell([{ name: 'orders.changed', audience: 'account:a' }]);
    notifications.onApplicationShutdown();
    const { tries } = board;
    await jest.advanceTimersByTimeAsync(60_000);
    expect(board.tries).toBe(tries);
  });

  it('of hundreds of changes ask the board for one of each kind and audience, known by the newest change', async () => {
    const board = new AwayBoard();
    board.isAway = false;
    const notifications = new Notifications(board);
    const ofChange = (i: number): Notification[] => [
      { name: 'catalog.changed', audience: null, source: `${i}` },
      { name: 'orders.changed', audience: i % 2 === 0 ? 'account:a' : 'account:b', source: `${i}` },
    ];
    await notifications.tell(Array.from({ length: 400 }, (_, i) => ofChange(i)).flat());
    expect(board.asked).toEqual([
      { name: 'catalog.changed', audience: null, source: '399' },
      { name: 'orders.changed', audience: 'account:a', source: '398' },
      { name: 'orders.changed', audience: 'account:b', source: '399' },
    ]);
    expect(board.tries).toBe(1);
    await notifications.tell(ofChange(399)); // the last change, repeated
    expect(board.position()).toMatch(/-4$/); // still: 1 at the beginning, and one for each of three notices
    await notifications.tell([...ofChange(398), ...ofChange(399), ...ofChange(400)]); // repeats beside a new change
    expect(board.position()).toMatch(/-6$/);
  });

  it('of nothing ask nothing of the board', async () => {
    const board = new AwayBoard();
    await new Notifications(board).tell([]);
    expect(board.tries).toBe(0);
  });
});
