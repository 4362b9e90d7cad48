import { MemoryNoticeBoard } from '@bff/infra/notices/memory/memory-notice-board';
import type { Post } from '@bff/infra/notices/notice-board';
import { NoticeBoardUnavailableError } from '@bff/infra/notices/notices.errors';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { Notifications } from './notifications.service.js';

/** Does not answer while it is away. */
class AwayBoard extends MemoryNoticeBoard {
  isAway = true;
  readonly posted: string[] = [];
  tries = 0;

  override async publish(posts: readonly Post[]): Promise<number> {
    this.tries += 1;
    if (this.isAway) throw new NoticeBoardUnavailableError('it is away');
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
  it('that cannot be told become one resync of everybody when the board is back, and nothing rejects', async () => {
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

  it('of nothing ask nothing of the board', async () => {
    const board = new AwayBoard();
    await new Notifications(board).tell([]);
    expect(board.tries).toBe(0);
  });
});
