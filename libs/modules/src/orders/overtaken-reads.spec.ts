import { MemoryNoticeBoard } from '@bff/infra/notices/memory/memory-notice-board';
import { toSalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Notifications } from '../notifications/notifications.service.js';
import { OvertakenReads } from './overtaken-reads.js';

const ALICE = toSalesforceId('001000000000001');
const BOB = toSalesforceId('001000000000002');
const kept = () => Promise.resolve(true);
const overtaken = () => Promise.resolve(false);

let reads: OvertakenReads;
let told: (string | null)[];
beforeEach(() => {
  jest.useFakeTimers();
  told = [];
  const board = new MemoryNoticeBoard();
  board.follow({ onNotice: ({ audience }) => told.push(audience), onLost: () => undefined });
  reads = new OvertakenReads(new Notifications(board));
});
afterEach(() => {
  reads.onApplicationShutdown();
  jest.useRealTimers();
});

describe('reads that a change has overtaken', () => {
  it('are announced at once, and reads that were kept are not', async () => {
    await reads.look(ALICE, overtaken);
    await reads.look(BOB, kept);
    await jest.advanceTimersByTimeAsync(1);
    expect(told).toEqual([`account:${ALICE}`]);
  });

  it('are announced ever more seldom while nothing is kept, but the last one always', async () => {
    for (let ms = 0; ms < 600_000; ms += 100) {
      await reads.look(ALICE, overtaken);
      await jest.advanceTimersByTimeAsync(100);
    }
    // The rests before the notices are 0, 1, 2, 4 … 60 s, and from then on 60 s.
    expect(told.length).toBeGreaterThan(10);
    expect(told.length).toBeLessThan(20);
    await reads.look(ALICE, overtaken);
    const before = told.length;
    await jest.advanceTimersByTimeAsync(60_000);
    expect(told).toHaveLength(before + 1);
    await reads.look(ALICE, kept);
    await reads.look(ALICE, overtaken);
    await jest.advanceTimersByTimeAsync(1);
    expect(told).toHaveLength(before + 2);
  });

  it('are not looked for while the store is away', async () => {
    await reads.look(ALICE, () => Promise.reject(new Error('away')));
    await jest.advanceTimersByTimeAsync(60_000);
    expect(told).toEqual([]);
  });
});
