import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { resolveGetOrSetOptions } from '../get-or-set-options.js';
import { Waiter } from './waiter.js';
import { WaiterGroup } from './waiter-group.js';
import { WaiterSet } from './waiter.js';

function waiter(waitMs: number): Waiter {
  const defaults = { waitMs: 30_000, leaseMs: 10_000, safetyTtlSeconds: undefined };
  return new Waiter('k', () => Promise.resolve(1), resolveGetOrSetOptions({ waitMs }, defaults));
}

describe('WaiterSet', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('[invariant 12] rejects each waiter when its own patience ends, with one timer for all', async () => {
    const set = new WaiterSet();
    const [long, short, builder] = [waiter(500), waiter(100), waiter(50)];
    long.waitForOther();
    short.waitForOther();
    builder.waitForOther();
    builder.becomeBuilder();
    const ended: string[] = [];
    long.answer.catch(() => ended.push('long'));
    short.answer.catch((error: { code: string }) => ended.push(`short ${error.code}`));
    builder.answer.catch(() => ended.push('builder'));
    for (const w of [long, short, builder]) set.add(w);
    expect(jest.getTimerCount()).toBe(1);
    await jest.advanceTimersByTimeAsync(101);
    expect(ended).toEqual(['short CACHE_WAIT_TIMEOUT']);
    await jest.advanceTimersByTimeAsync(400);
    expect(ended).toEqual(['short CACHE_WAIT_TIMEOUT', 'long']);
    expect([...set]).toEqual([builder]);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('lets the builder be, and holds a group to its patience even if the fetch is made for it', async () => {
    const [one, other] = [new WaiterSet(), new WaiterSet()];
    const builder = waiter(50);
    const group = new WaiterGroup('k', () => Promise.resolve(1), builder.options);
    const told = [group.join(), group.join()].map((answer) => answer.catch((error: { code: string }) => error.code));
    one.add(builder);
    one.waitForOther(builder);
    other.add(group);
    other.waitForOther(group);
    await jest.advanceTimersByTimeAsync(51);
    expect(await Promise.all(told)).toEqual(['CACHE_WAIT_TIMEOUT', 'CACHE_WAIT_TIMEOUT']);
    expect([one.size, other.size]).toEqual([1, 0]);
  });

  it('leaves no timer behind when all were taken', () => {
    const set = new WaiterSet();
    set.add(waiter(100));
    set.waitForOther();
    expect(jest.getTimerCount()).toBe(1);
    expect(set.takeAll()).toHaveLength(1);
    expect(set.size).toBe(0);
    expect(jest.getTimerCount()).toBe(0);
  });
});
