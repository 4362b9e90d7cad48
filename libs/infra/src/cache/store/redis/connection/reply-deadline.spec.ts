import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { OverdueReplyError, ReplyDeadline } from './reply-deadline.js';

const asError = (error: unknown) => error as Error;
const asItIs = <T>(value: T) => value;

/** A reply that the test resolves. */
function reply<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((done) => (resolve = done));
  return { promise, resolve };
}

describe('ReplyDeadline', () => {
  let heard: string[];
  const deadlineOf = (ms: number) =>
    new ReplyDeadline(ms, { onReply: () => heard.push('reply'), onOverdue: () => heard.push('overdue') });
  beforeEach(() => {
    heard = [];
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('hands on what comes in time, a failure too', async () => {
    const deadline = deadlineOf(40);
    await expect(deadline.within(Promise.resolve('value'), asItIs, asError)).resolves.toBe('value');
    const told = deadline.within(
      Promise.reject(new Error('no')),
      asItIs,
      (error) => new Error(`told: ${String(error)}`),
    );
    await expect(told).rejects.toThrow('told: Error: no');
    expect(heard).toEqual(['reply']); // a failure says nothing about the time
  });

  it('makes something of a reply, unless it comes too late', async () => {
    const deadline = deadlineOf(40);
    const used: string[] = [];
    const use = (value: string) => {
      used.push(value);
      if (value === 'bad') throw new Error('cannot be used');
      return value.length;
    };
    await expect(deadline.within(Promise.resolve('value'), use, asError)).resolves.toBe(5);
    await expect(deadline.within(Promise.resolve('bad'), use, asError)).rejects.toThrow('cannot be used');
    const late = reply<string>();
    const overdue = expect(deadline.within(late.promise, use, asError)).rejects.toThrow(OverdueReplyError);
    await jest.advanceTimersByTimeAsync(45);
    await overdue;
    late.resolve('late');
    await jest.advanceTimersByTimeAsync(1);
    expect(used).toEqual(['value', 'bad']);
  });

  it('gives each reply its own time with one timer for all, and ignores what comes later', async () => {
    const deadline = deadlineOf(40);
    const early = reply<string>();
    const overdue = expect(deadline.within(early.promise, asItIs, asError)).rejects.toThrow(OverdueReplyError);
    await jest.advanceTimersByTimeAsync(30);
    const late = reply<string>();
    const answered = deadline.within(late.promise, asItIs, asError);
    expect(jest.getTimerCount()).toBe(1);
    await jest.advanceTimersByTimeAsync(15);
    await overdue;
    early.resolve('too late');
    late.resolve('in time');
    await expect(answered).resolves.toBe('in time');
    expect(heard).toEqual(['overdue', 'reply']);
    await jest.advanceTimersByTimeAsync(100);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('reads what has arrived during a stall of this process before it counts anything as overdue', async () => {
    jest.useRealTimers();
    const deadline = deadlineOf(250); // longer than a pause of a busy machine, which would come before the stall
    const delivered = reply<string>();
    const answered = deadline.within(delivered.promise, asItIs, asError);
    setImmediate(() => {
      setImmediate(() => delivered.resolve('was in the socket')); // next turn, after its timers, as sockets are read
      const until = performance.now() + 300;
      while (performance.now() < until); // blocks this process beyond the deadline
    });
    await expect(answered).resolves.toBe('was in the socket');
  });

  it('gives all up at once when nothing is to be expected', async () => {
    const deadline = deadlineOf(40);
    const waits = [
      deadline.within(reply().promise, asItIs, asError),
      deadline.within(reply().promise, asItIs, asError),
    ];
    deadline.giveUpAll();
    for (const wait of waits) await expect(wait).rejects.toThrow('did not answer within 40 ms');
  });
});
