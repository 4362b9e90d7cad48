import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Deadlines } from './deadlines.js';

describe('Deadlines', () => {
  let givenUp: string[];
  let deadlines: Deadlines<string>;
  beforeEach(() => {
    jest.useFakeTimers();
    givenUp = [];
    deadlines = new Deadlines(40, (item) => givenUp.push(item));
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('gives up what is not settled in time, and nothing else, with one timer', async () => {
    const first = deadlines.add('first');
    const settled = deadlines.add('settled');
    await jest.advanceTimersByTimeAsync(20);
    deadlines.add('second');
    expect(jest.getTimerCount()).toBe(1);
    expect(deadlines.settle(settled)).toBe(true);
    await jest.advanceTimersByTimeAsync(21);
    expect(givenUp).toEqual(['first']);
    expect(deadlines.settle(first)).toBe(false);
    await jest.advanceTimersByTimeAsync(21);
    expect(givenUp).toEqual(['first', 'second']);
    await jest.advanceTimersByTimeAsync(100);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('starts again after everything was settled', async () => {
    deadlines.settle(deadlines.add('settled'));
    await jest.advanceTimersByTimeAsync(50);
    expect(jest.getTimerCount()).toBe(0);
    deadlines.add('late');
    await jest.advanceTimersByTimeAsync(45);
    expect(givenUp).toEqual(['late']);
  });

  it('hands over what is under way, and gives none of it up', async () => {
    deadlines.add('one');
    deadlines.add('other');
    expect(deadlines.takeAll()).toEqual(['one', 'other']);
    await jest.advanceTimersByTimeAsync(100);
    expect(givenUp).toEqual([]);
  });
});
