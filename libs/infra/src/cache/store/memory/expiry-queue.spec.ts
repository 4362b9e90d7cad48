import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ExpiryQueue } from './expiry-queue.js';

describe('ExpiryQueue', () => {
  it('answers nothing before the first key expires, then the one that expires first', () => {
    const queue = new ExpiryQueue();
    queue.set('later', 20);
    queue.set('sooner', 10);
    expect(queue.expired(9)).toBeUndefined();
    expect(queue.expired(10)).toBe('sooner');
    queue.delete('sooner');
    expect(queue.expired(19)).toBeUndefined();
    expect(queue.expired(20)).toBe('later');
  });

  it('agrees with a sorted list, whatever is set, moved and deleted', () => {
    const step = fc.record({ key: fc.nat({ max: 12 }).map(String), at: fc.option(fc.nat({ max: 50 })) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const queue = new ExpiryQueue();
        const model = new Map<string, number>();
        for (const { key, at } of steps) {
          if (at === null) queue.delete(key);
          else queue.set(key, at);
          if (at === null) model.delete(key);
          else model.set(key, at);
        }
        expect(queue.size).toBe(model.size);
        for (let now = 0; now <= 50; now += 1) {
          for (let key = queue.expired(now); key !== undefined; key = queue.expired(now)) {
            expect(model.get(key)).toBe(now); // each key at its own instant, not later
            queue.delete(key);
            model.delete(key);
          }
        }
        expect([queue.size, model.size]).toEqual([0, 0]);
      }),
    );
  });
});
