import { loadConfig } from '@bff/modules/config/load-config';
import { Readiness } from '@bff/infra/health/readiness';
import type { NoticeBoard } from '@bff/infra/notices/notice-board';
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { EventStreams } from './event-streams.js';

const FIVE_MINUTES = 300_000;
const board = {
  follow: () => () => undefined,
  position: () => '7',
  since: () => [],
  state: () => undefined,
} as unknown as NoticeBoard;

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

it('[A4] looks every five minutes whether a user still acts for the account, also without any change', async () => {
  const streams = new EventStreams(board, loadConfig({}), new Readiness());
  let text = '';
  let [isAllowed, looks] = [true, 0];
  const outlet = {
    bufferedBytes: 0,
    write: (more: string) => void (text += more),
    end: (more: string) => Promise.resolve(void (text += more)),
  };
  const subscriber = {
    account: 'a',
    audiences: ['account:a'] as const,
    expiresAt: Date.now() + 3_600_000,
    isStillAllowed: () => Promise.resolve((looks++, isAllowed)),
  };
  streams.add(subscriber, outlet, undefined);
  await jest.advanceTimersByTimeAsync(FIVE_MINUTES);
  expect([looks, streams.state().streams]).toEqual([1, 1]);
  isAllowed = false;
  await jest.advanceTimersByTimeAsync(FIVE_MINUTES);
  expect(text).toContain('data: {"reason":"account-changed"}');
  await jest.advanceTimersByTimeAsync(2 * FIVE_MINUTES);
  expect([looks, streams.state().streams]).toEqual([2, 0]);
});
