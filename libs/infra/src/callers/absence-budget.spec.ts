import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { AbsenceBudget } from './absence-budget.js';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

it('[C4] lets each customer keep so many absent records in a window, and no more', async () => {
  const budget = new AbsenceBudget(2, 1_000);
  const taken = () => [1, 2, 3].map(() => budget.take('alice'));
  expect(taken()).toEqual([true, true, false]);
  expect(budget.take('bob')).toBe(true);
  await jest.advanceTimersByTimeAsync(1_002);
  expect(taken()).toEqual([true, true, false]);
});
