import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { StoreTrial } from './store-trial.js';

const never = () => new Promise<never>(() => undefined);
const refused = () =>
  Promise.reject(
    Object.assign(new Error("NOPERM this user has no permissions to run 'incrby'"), { name: 'ReplyError' }),
  );

describe('a question to a store that callers do not depend on', () => {
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['nextTick'] });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('is answered', async () => {
    expect(await new StoreTrial(75).ask(async () => 7)).toBe(7);
  });

  it('is given up when its time is over', async () => {
    const answer = new StoreTrial(75).ask(never);
    await jest.advanceTimersByTimeAsync(75);
    expect(await answer).toBeUndefined();
  });

  it('is asked again by one caller a second while the store fails, and nobody else waits', async () => {
    const trial = new StoreTrial(75);
    let asked = 0;
    const ask = (question: () => Promise<number>) =>
      trial.ask(() => {
        asked += 1;
        return question();
      });
    expect(await ask(refused)).toBeUndefined();
    expect(await Promise.all([ask(never), ask(never)])).toEqual([undefined, undefined]);
    expect(asked).toBe(1);
    jest.advanceTimersByTime(1_000);
    const trying = ask(never);
    expect(await Promise.all([ask(never), ask(never)])).toEqual([undefined, undefined]);
    expect(asked).toBe(2);
    await jest.advanceTimersByTimeAsync(75);
    expect(await trying).toBeUndefined();
    await jest.advanceTimersByTimeAsync(1_000);
    expect(await ask(async () => 7)).toBe(7);
    expect(await Promise.all([ask(async () => 8), ask(async () => 9)])).toEqual([8, 9]);
  });

  it('ignores an answer that comes too late, also a failure', async () => {
    const trial = new StoreTrial(75);
    let fail!: (error: Error) => void;
    const answer = trial.ask(() => new Promise<number>((_, reject) => (fail = reject)));
    await jest.advanceTimersByTimeAsync(75);
    expect(await answer).toBeUndefined();
    fail(new Error('Command timed out')); // an unhandled rejection would end the test
    await jest.advanceTimersByTimeAsync(0);
  });
});
