import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { OverdueReplyError, ReplyDeadline } from './reply-deadline.js';

/** A reply that the test gives. */
function reply<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((done) => (resolve = done));
  return { promise, resolve };
}

describe('ReplyDeadline', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('hands on what comes in time, a failure too', async () => {
    const deadline = new ReplyDeadline(40);
    await expect(deadline.within(Promise.resolve('value'))).resolves.toBe('value');
    await expect(deadline.within(Promise.reject(new Error('no')))).rejects.toThrow('no');
  });

  it('gives each reply its own time with one timer for all, and ignores what comes later', async () => {
    const deadline = new ReplyDeadline(40);
    const early = reply<string>();
    const overdue = expect(deadline.within(early.promise)).rejects.toThrow(OverdueReplyError);
    await jest.advanceTimersByTimeAsync(30);
    const late = reply<string>();
    const answered = deadline.within(late.promise);
    expect(jest.getTimerCount()).toBe(1);
    await jest.advanceTimersByTimeAsync(15);
    await overdue;
    early.resolve('too late');
    late.resolve('in time');
    await expect(answered).resolves.toBe('in time');
    await jest.advanceTimersByTimeAsync(100);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('reads what has arrived during a stall of this process before it counts anything as overdue', async () => {
    jest.useRealTimers();
    const deadline = new ReplyDeadline(10);
    const delivered = reply<string>();
    const answered = deadline.within(delivered.promise);
    setImmediate(() => {
      setImmediate(() => delivered.resolve('was in the socket')); // in the next turn: after its timers, as sockets are read
      const until = performance.now() + 30;
      while (performance.now() < until); // this process stands still beyond the deadline
    });
    await expect(answered).resolves.toBe('was in the socket');
  });

  it('gives all up at once when nothing is to be expected', async () => {
    const deadline = new ReplyDeadline(40);
    const waits = [deadline.within(reply().promise), deadline.within(reply().promise)];
    deadline.giveUpAll();
    for (const wait of waits) await expect(wait).rejects.toThrow('did not answer within 40 ms');
  });
});
