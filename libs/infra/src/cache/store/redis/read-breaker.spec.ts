import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ReadBreaker } from './read-breaker.js';
import { OverdueReplyError } from './reply-deadline.js';

const overdue = () => Promise.reject(new OverdueReplyError(40));

describe('ReadBreaker', () => {
  let answersProbe = false;
  let probes = 0;
  let opened = 0;
  let breaker: ReadBreaker;
  const execute = (command: () => Promise<unknown>) => breaker.execute(command).catch(() => undefined);

  beforeEach(() => {
    jest.useFakeTimers();
    [answersProbe, probes, opened] = [false, 0, 0];
    const probe = () => {
      probes++;
      return answersProbe ? Promise.resolve('PONG') : overdue();
    };
    breaker = new ReadBreaker(probe, () => opened++);
  });
  afterEach(() => {
    breaker.close();
    jest.useRealTimers();
  });

  it('opens after three overdue replies in a row, and says so in words', async () => {
    for (let i = 0; i < 2; i++) await execute(overdue);
    expect(breaker.reason).toBeUndefined();
    await execute(overdue);
    expect(breaker.reason).toMatch(/connected but has not answered 3 times in a row: the circuit is open/);
    expect(opened).toBe(1);
  });

  it('begins to count again after an answer', async () => {
    for (let i = 0; i < 10; i++) await execute(i % 3 === 2 ? () => Promise.resolve('OK') : overdue);
    expect(breaker.reason).toBeUndefined();
  });

  it('counts neither refusals nor lost connections nor defects', async () => {
    for (const message of ['OOM command not allowed', 'Connection is closed.', 'x is not a function'])
      for (let i = 0; i < 5; i++) await execute(() => Promise.reject(new Error(message)));
    expect(breaker.reason).toBeUndefined();
  });

  it('asks for a sign of life by itself ten times a second, and closes at the first', async () => {
    for (let i = 0; i < 3; i++) await execute(overdue);
    await jest.advanceTimersByTimeAsync(350);
    expect(probes).toBe(3);
    expect(breaker.reason).toBeDefined();
    answersProbe = true;
    await jest.advanceTimersByTimeAsync(100);
    expect(breaker.reason).toBeUndefined();
    await jest.advanceTimersByTimeAsync(1000);
    expect(probes).toBe(4);
  });
});
