import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { deferred } from '../../../../../test/support/deferred.js';
import type { Taking } from '../metered-limits.js';
import { Purse, type Filling } from './purse.js';

const WINDOW_MS = 60_000;

/** A store that has these points in one window, and records how many each question asked for. */
class CountingStore {
  readonly asked: number[] = [];
  private readonly endsAt = performance.now() + WINDOW_MS;

  constructor(private left: number) {}

  readonly fill = async (points: number): Promise<Filling> => {
    this.asked.push(points);
    const given = Math.min(points, this.left);
    this.left -= given;
    return { points: given, left: this.left, endsAt: this.endsAt };
  };
}

const purseOf = (points: number, block: number, fill: (points: number) => Promise<Filling | undefined>) =>
  new Purse({ points, windowSeconds: WINDOW_MS / 1_000 }, block, fill);
const together = (purse: Purse, count: number) =>
  Promise.all(Array.from({ length: count }, async () => (await purse.take()) as Taking));
const given = (takings: readonly Taking[]) => takings.filter(({ isGiven }) => isGiven).length;

describe('a purse', () => {
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['nextTick'] });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('asks once for a block, and gives it out without asking', async () => {
    const store = new CountingStore(100);
    const purse = purseOf(100, 5, store.fill);
    for (let i = 0; i < 10; i++) expect(await purse.take()).toMatchObject({ isGiven: true, remaining: 99 - i });
    expect(store.asked).toEqual([5, 5]);
  });

  it('asks once for all who come together, however many', async () => {
    const store = new CountingStore(100);
    const purse = purseOf(100, 5, store.fill);
    expect(given(await together(purse, 37))).toBe(37);
    expect(store.asked).toEqual([37]);
  });

  it('gives no more than the store has, and then refuses without asking until the window ends', async () => {
    const store = new CountingStore(7);
    const purse = purseOf(100, 5, store.fill);
    expect(given(await together(purse, 20))).toBe(7);
    const refused = await purse.take();
    expect(refused).toMatchObject({ isGiven: false, remaining: 0, resetMs: WINDOW_MS });
    expect(store.asked).toEqual([20]);
    jest.advanceTimersByTime(WINDOW_MS);
    await purse.take();
    expect(store.asked).toEqual([20, 5]);
  });

  it('loses what it did not give out when the window ends', async () => {
    const store = new CountingStore(5);
    const purse = purseOf(100, 5, store.fill);
    expect(await purse.take()).toMatchObject({ isGiven: true, remaining: 4 });
    jest.advanceTimersByTime(WINDOW_MS);
    expect(await purse.take()).toMatchObject({ isGiven: false });
  });

  it('lets those who come while it asks share the next question', async () => {
    const answers = [deferred<Filling>(), deferred<Filling>()] as const;
    const asked: number[] = [];
    const purse = purseOf(100, 1, (points) => {
      asked.push(points);
      return (asked.length === 1 ? answers[0] : answers[1]).promise;
    });
    const first = purse.take();
    await nextTurn();
    const others = together(purse, 3);
    answers[0].resolve({ points: 1, left: 9, endsAt: performance.now() + WINDOW_MS });
    expect(await first).toMatchObject({ isGiven: true });
    await nextTurn();
    answers[1].resolve({ points: 3, left: 6, endsAt: performance.now() + WINDOW_MS });
    expect(given(await others)).toBe(3);
    expect(asked).toEqual([1, 3]);
  });

  it('says so to all who wait when the store does not answer, and asks again for the next', async () => {
    let isAway = true;
    const store = new CountingStore(100);
    const purse = purseOf(100, 5, async (points) => (isAway ? undefined : store.fill(points)));
    expect(await Promise.all([purse.take(), purse.take()])).toEqual([undefined, undefined]);
    isAway = false;
    expect(await purse.take()).toMatchObject({ isGiven: true });
  });

  it('[invariant 12] lets no more callers wait than a window has points', async () => {
    const purse = purseOf(3, 1, () => new Promise(() => undefined));
    const waiting = [purse.take(), purse.take(), purse.take()];
    expect(await purse.take()).toMatchObject({ isGiven: false });
    expect(waiting).toHaveLength(3);
  });
});

function nextTurn(): Promise<void> {
  return new Promise((resolve) => process.nextTick(() => process.nextTick(resolve)));
}
