import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { OverdueReplyError, ReadBreaker } from './reply-deadline.js';

const overdue = new OverdueReplyError(40);

describe('ReadBreaker', () => {
  let answersProbe = false;
  let probes = 0;
  let opened = 0;
  let breaker: ReadBreaker;
  const hears = async (...replies: readonly ('overdue' | 'reply')[]) => {
    for (const reply of replies) {
      if (reply === 'reply') breaker.onReply();
      else breaker.onOverdue(overdue);
      await jest.advanceTimersByTimeAsync(0);
    }
  };

  beforeEach(() => {
    jest.useFakeTimers();
    [answersProbe, probes, opened] = [false, 0, 0];
    const probe = () => {
      probes++;
      return answersProbe ? Promise.resolve('PONG') : Promise.reject(overdue);
    };
    breaker = new ReadBreaker(probe, () => opened++);
  });
  afterEach(() => {
    breaker.close();
    jest.useRealTimers();
  });

  it('opens after three overdue replies in a row, and says so in words', async () => {
    await hears('overdue', 'overdue');
    expect(breaker.reason).toBeUndefined();
    await hears('overdue');
    expect(breaker.reason).toMatch(/connected but has not answered 3 times in a row: the circuit is open/);
    expect(opened).toBe(1);
  });

  it('begins to count again after an answer', async () => {
    await hears('overdue', 'overdue', 'reply', 'overdue', 'overdue', 'reply', 'overdue', 'overdue');
    expect(breaker.reason).toBeUndefined();
  });

  it('asks for a sign of life by itself ten times a second, and closes at the first', async () => {
    await hears('overdue', 'overdue', 'overdue');
    await jest.advanceTimersByTimeAsync(350);
    expect(probes).toBe(3);
    await hears('reply'); // reply to an earlier command: only the probe counts
    expect(breaker.reason).toBeDefined();
    answersProbe = true;
    await jest.advanceTimersByTimeAsync(100);
    expect(breaker.reason).toBeUndefined();
    await jest.advanceTimersByTimeAsync(1000);
    expect(probes).toBe(4);
  });

  it('closes when the probe ends with the connection: that is looked at in its own right', async () => {
    breaker.close();
    breaker = new ReadBreaker(
      () => Promise.reject(new Error('Connection is closed.')),
      () => undefined,
    );
    await hears('overdue', 'overdue', 'overdue');
    expect(breaker.reason).toBeDefined();
    await jest.advanceTimersByTimeAsync(110);
    expect(breaker.reason).toBeUndefined();
  });
});
