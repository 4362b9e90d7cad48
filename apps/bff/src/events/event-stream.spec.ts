import type { Notice } from '@bff/infra/notices/notice-board';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { ClosingReason } from './event-frames.js';
import { EventStream, type Outlet } from './event-stream.js';

/** Buffers the written text until the test takes it. */
class HeldOutlet implements Outlet {
  text = '';
  bufferedBytes = 0;
  hasEnded = false;

  write(text: string): void {
    this.text += text;
    this.bufferedBytes += text.length;
  }

  end(text: string): Promise<void> {
    this.write(text);
    this.hasEnded = true;
    return Promise.resolve();
  }

  /** The events since the last call, each with its id; empties the buffer, as a reading browser does. */
  taken(): string[] {
    const blocks = this.text.split('\n\n').filter((block) => block !== '');
    [this.text, this.bufferedBytes] = ['', 0];
    return blocks.map((block) => {
      const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
      return [field('event') ?? 'comment', field('id')].filter((part) => part !== undefined).join(' ');
    });
  }
}

const notice = (id: number, name: string, audience: string | null = 'account:a'): Notice => ({
  id: `${id}`,
  name,
  audience,
  at: 0,
});

let outlet: HeldOutlet;
let stream: EventStream;
let closings: (ClosingReason | undefined)[];
beforeEach(() => {
  jest.useFakeTimers();
  outlet = new HeldOutlet();
  closings = [];
  const options = { coalesceMs: 250, bufferMaxBytes: 1_000, retryMs: 3_000 };
  stream = new EventStream(outlet, options, (reason) => closings.push(reason));
});
afterEach(() => void jest.useRealTimers());

describe('an event stream', () => {
  it('begins with how to come back and where to resume', () => {
    stream.open([], '7', false);
    expect(outlet.text).toBe(': evergreen\nretry: 3000\n\nid: 7\nevent: ready\ndata: {"isResumed":false}\n\n');
  });

  it('tells what was missed and what came meanwhile, the newest of each kind, in order', () => {
    stream.tell(notice(5, 'orders.changed'));
    stream.tell(notice(6, 'billing.changed'));
    stream.open([notice(4, 'catalog.changed', null), notice(5, 'orders.changed')], '6', true);
    expect(outlet.taken()).toEqual(['comment', 'ready', 'catalog.changed 4', 'orders.changed 5', 'billing.changed 6']);
  });

  it('tells to read everything where it is not known what was missed', () => {
    stream.tell(notice(5, 'orders.changed'));
    stream.open(undefined, '6', true);
    expect(outlet.taken()).toEqual(['comment', 'resync 6']);
  });

  it('tells the first notice at once and those that follow closely together', () => {
    stream.open([], '0', false);
    outlet.taken();
    for (let id = 1; id <= 100; id++) stream.tell(notice(id, id % 2 ? 'orders.changed' : 'catalog.changed'));
    expect(outlet.taken()).toEqual(['orders.changed 1']);
    jest.advanceTimersByTime(249);
    expect(outlet.taken()).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(outlet.taken()).toEqual(['orders.changed 99', 'catalog.changed 100']);
    expect(stream.told).toBe(3);
  });

  it('lets a resync stand for all that waits before it, and for nothing after it', () => {
    stream.open([], '0', false);
    stream.tell(notice(1, 'orders.changed'));
    outlet.taken();
    for (const each of [notice(2, 'orders.changed'), notice(3, 'resync', null), notice(4, 'orders.changed')])
      stream.tell(each);
    jest.advanceTimersByTime(250);
    expect(outlet.taken()).toEqual(['resync 3', 'orders.changed 4']);
  });

  it('never moves the place to resume past what waits', () => {
    stream.open([], '0', false);
    stream.tell(notice(1, 'orders.changed'));
    stream.tell(notice(2, 'orders.changed'));
    outlet.taken();
    stream.heartbeat('9');
    expect(outlet.taken()).toEqual(['orders.changed 2', 'comment 9']);
    jest.advanceTimersByTime(1_000);
    expect(outlet.taken()).toEqual([]);
  });

  it('asks each to pick an instant when all have to read what is their own', () => {
    stream.open([], '0', false);
    stream.tell(notice(1, 'orders.changed', null));
    expect(outlet.text).toContain('data: {"at":"1970-01-01T00:00:00.000Z","spreadMs":10000}');
    outlet.taken();
    jest.advanceTimersByTime(250);
    stream.tell(notice(2, 'catalog.changed', null));
    expect(outlet.text).toContain('data: {"at":"1970-01-01T00:00:00.000Z"}');
  });

  it('drops a browser that does not read, with a last event, and writes nothing after it', () => {
    stream.open([], '0', false);
    for (let id = 1; closings.length === 0 && id < 100; id++) {
      stream.tell(notice(id, 'orders.changed'));
      jest.advanceTimersByTime(250);
    }
    expect(closings).toEqual(['slow-consumer']);
    expect(outlet.hasEnded).toBe(true);
    expect(outlet.bufferedBytes).toBeLessThan(1_300);
    expect(outlet.taken().at(-1)).toBe('closing');
    stream.tell(notice(100, 'orders.changed'));
    stream.heartbeat('100');
    void stream.close('shutdown');
    stream.abandoned();
    jest.advanceTimersByTime(1_000);
    expect(outlet.text).toBe('');
    expect(closings).toHaveLength(1);
  });

  it('says nothing to a browser that has left while its stream was opening', () => {
    stream.abandoned();
    stream.open([], '0', false);
    expect([outlet.text, closings]).toEqual(['', [undefined]]);
  });
});
