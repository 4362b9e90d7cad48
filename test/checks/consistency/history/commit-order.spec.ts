import { describe, expect, it } from '@jest/globals';
import { CommitOrder, type Commit } from './commit-order.js';

const KEY = 5;
const FACT = 17;

function commit(build: string, grantedAt: number, sentAt: number, more: Partial<Commit> = {}): Commit {
  const times = { askedAt: grantedAt - 5, grantedAt, sentAt, repliedAt: sentAt + 5 };
  return { kind: 'committed', by: 1, build, key: KEY, reply: 'ok', ...times, ttlMs: 0, facts: [FACT], ...more };
}

describe('G4', () => {
  /** The second builder supersedes the first one and commits before it. */
  const overtaken = () => {
    const order = new CommitOrder();
    order.committed(commit('1.1', 100, 500));
    order.committed(commit('2.1', 200, 300));
    return order;
  };

  it('is broken when a superseded builder overwrites its successor, in whichever order the files are read', () => {
    expect(overtaken().violations()).toHaveLength(1);
    const reversed = new CommitOrder();
    reversed.committed(commit('2.1', 200, 300));
    reversed.committed(commit('1.1', 100, 500));
    expect(reversed.violations()).toHaveLength(1);
  });

  it('holds when builders commit in the order of their leases, and when the superseded one is refused', () => {
    const order = new CommitOrder();
    order.committed(commit('1.1', 100, 150));
    order.committed(commit('2.1', 200, 300));
    order.committed(commit('3.1', 180, 400, { reply: 'fenced' }));
    expect(order.violations()).toEqual([]);
  });

  it('holds when nobody knows which lease was granted first, or which commit was applied first', () => {
    const order = new CommitOrder();
    order.committed(commit('1.1', 100, 303));
    order.committed(commit('2.1', 200, 300));
    expect(order.suspectCount).toBe(0);
  });

  it.each([
    [
      'invalidated and acknowledged',
      (order: CommitOrder) => (order.begun('c', 350, [FACT]), order.acknowledged('c', 360)),
    ],
    ['perhaps invalidated by somebody who died', (order: CommitOrder) => order.begun('c', 100, [FACT])],
    ['emptied away', (order: CommitOrder) => order.storeEmptied(400, 450)],
    [
      'replaced by one with a TTL, which ended',
      (order: CommitOrder) => order.committed(commit('3.1', 320, 330, { ttlMs: 0.1 })),
    ],
  ])('is explained when the successor was %s in between', (_what, happen) => {
    const order = overtaken();
    happen(order);
    expect(order.suspectCount).toBeGreaterThan(0);
    expect(order.violations()).toEqual([]);
  });

  it('is not explained by what was over before, by what came after, or by what it does not depend on', () => {
    const order = overtaken();
    order.begun('before', 100, [FACT]);
    order.begun('before', 120, [FACT]); // redelivered by the successor of a process that died
    order.acknowledged('before', 250);
    order.begun('after', 600, [FACT]);
    order.begun('elsewhere', 350, [FACT + 1]);
    expect(order.violations()).toHaveLength(1);
  });

  it('is explained when the successor had ended by its TTL', () => {
    const order = new CommitOrder();
    order.committed(commit('1.1', 100, 90_000));
    order.committed(commit('2.1', 200, 300, { ttlMs: 50 }));
    expect(order.violations()).toEqual([]);
  });
});
