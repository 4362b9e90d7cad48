import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Dependency } from '../dependencies.js';
import { L1Partition } from './l1-partition.js';

const deps = (...names: string[]) => names as Dependency[];

describe('what a process knows of a partition (names: mutations of strict.pml)', () => {
  let flushes: number;
  let partition: L1Partition;
  beforeEach(() => {
    flushes = 0;
    partition = new L1Partition(() => flushes++);
    partition.adopt({ clock: 5, tip: 'five' }, 1000);
    flushes = 0;
  });
  const message = (clock: number, tip: string, previousTip: string, ...names: string[]) => ({
    clock,
    tip,
    previousTip,
    dependencies: deps(...names),
  });

  it('[invariant 13] serves while its lease runs, and not a moment longer (NO_EXPIRY)', () => {
    expect(partition.isLive(999)).toBe(true);
    expect(partition.isLive(1000)).toBe(false);
  });

  it('forgets everything when a message is missing', () => {
    expect(partition.follow(message(6, 'six', 'five', 'r:A:1'))).toBe(true);
    expect(flushes).toBe(0);
    expect(partition.follow(message(8, 'eight', 'seven', 'r:A:2'))).toBe(false);
    expect(flushes).toBe(1);
    expect(partition.processed).toEqual({ clock: 8, tip: 'eight' });
  });

  it('keeps nothing from a read that began before a flush (NO_GEN)', () => {
    const { generation } = partition;
    expect(partition.mayKeep(generation, { clock: 5, tip: 'five' }, [])).toBe(true);
    partition.follow(message(8, 'eight', 'seven'));
    expect(partition.mayKeep(generation, { clock: 9, tip: 'nine' }, [])).toBe(false);
  });

  it('[A2] keeps nothing that was read ahead of the bus: another branch may have the same clock (KEEP_ANY)', () => {
    const { generation } = partition;
    expect(partition.mayKeep(generation, { clock: 6, tip: 'other six' }, ['r:A:1'])).toBe(false);
    partition.follow(message(6, 'six', 'five', 'r:A:2'));
    expect(partition.mayKeep(generation, { clock: 6, tip: 'other six' }, ['r:A:1'])).toBe(false);
    expect(partition.mayKeep(generation, { clock: 6, tip: 'six' }, ['r:A:1'])).toBe(true);
  });

  it('keeps what its own invalidation has brought before the bus tells of it, and forgets it with a gap', () => {
    const own = { clock: 6, tip: 'six' };
    partition.rememberOwn(deps('r:A:1'), own);
    expect(partition.mayKeep(partition.generation, own, ['r:A:1'])).toBe(true);
    expect(partition.confirmed(own, 2000, partition.generation)).toBe(true);
    expect(partition.isLive(1500)).toBe(false); // it has not followed the bus up to there
    partition.follow(message(8, 'eight', 'seven'));
    expect(partition.mayKeep(partition.generation, own, ['r:A:1'])).toBe(false);
  });

  it('keeps nothing that an invalidation processed here has overtaken (NO_LIV)', () => {
    const { generation } = partition;
    partition.follow(message(6, 'six', 'five', 'r:A:1'));
    expect(partition.mayKeep(generation, { clock: 5, tip: 'five' }, ['r:A:1'])).toBe(false);
    expect(partition.mayKeep(generation, { clock: 6, tip: 'six' }, ['r:A:1'])).toBe(true);
    expect(partition.mayKeep(generation, { clock: 5, tip: 'five' }, ['r:A:2'])).toBe(true);
  });

  it('never lowers what it knows: an own invalidation may be ahead of the bus (LIV_LOWER)', () => {
    const { generation } = partition;
    partition.remember(deps('r:A:1'), 7);
    partition.follow(message(6, 'six', 'five', 'r:A:1'));
    expect(partition.mayKeep(generation, { clock: 6, tip: 'six' }, ['r:A:1'])).toBe(false);
  });

  it('takes a lease only when it has caught up with where the store stood (NO_CATCHUP)', () => {
    const { generation } = partition;
    expect(partition.confirmed({ clock: 6, tip: 'six' }, 2000, generation)).toBe(true);
    expect(partition.isLive(1500)).toBe(false);
    partition.follow(message(6, 'six', 'five', 'r:A:1'));
    expect(partition.isLive(1500)).toBe(true);
  });

  it('starts afresh when it is still behind at the next answer', () => {
    const { generation } = partition;
    partition.confirmed({ clock: 6, tip: 'six' }, 2000, generation);
    expect(partition.confirmed({ clock: 6, tip: 'six' }, 2250, generation)).toBe(false);
    expect(flushes).toBe(1);
    expect(partition.processed).toEqual({ clock: 6, tip: 'six' });
    expect(partition.isLive(2200)).toBe(true);
  });

  it('does not count as caught up what a flush has interrupted', () => {
    const { generation } = partition;
    partition.follow(message(7, 'seven', 'six'));
    partition.confirmed({ clock: 7, tip: 'seven' }, 2000, generation);
    expect(partition.isLive(1500)).toBe(false);
  });

  it('after a flush a store that counts from one again is not held against its old clock', () => {
    partition.follow(message(6, 'six', 'five', 'r:A:1'));
    partition.adopt({ clock: 1, tip: 'one' }, 2000);
    expect(partition.mayKeep(partition.generation, { clock: 1, tip: 'one' }, ['r:A:1'])).toBe(true);
  });

  it('another branch with the same clock is not caught up with', () => {
    const { generation } = partition;
    partition.follow(message(6, 'six', 'five'));
    partition.confirmed({ clock: 6, tip: 'six of another history' }, 2000, generation);
    expect(partition.isLive(1500)).toBe(false);
  });

  it('forgets everything on an invalidation of everything, and serves nothing once closed', () => {
    partition.follow({ clock: 6, tip: 'six', previousTip: 'five', dependencies: '*' });
    expect(flushes).toBe(1);
    expect(partition.isLive(10)).toBe(true);
    partition.close();
    expect(partition.isLive(10)).toBe(false);
  });
});
