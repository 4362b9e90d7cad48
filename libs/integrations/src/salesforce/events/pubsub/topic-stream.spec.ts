import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LIFELINES_MAX, PullWindow } from './topic-stream.js';

describe('the window of requests', () => {
  it('begins full, and is filled up again by halves', () => {
    const window = new PullWindow(100, 1_000);
    expect(window.ask(0)).toBe(100);
    window.arrived(49, 51);
    expect(window.ask(49)).toBe(0);
    window.arrived(1, 50);
    expect(window.ask(50)).toBe(50);
    expect(window.ask(50)).toBe(0);
  });

  it('asks for no more than the queue has room for', () => {
    const window = new PullWindow(100, 150);
    expect(window.ask(0)).toBe(100);
    window.arrived(100, 0);
    expect(window.ask(100)).toBe(50);
    window.arrived(50, 0);
    expect(window.ask(150)).toBe(0);
    expect(window.ask(149)).toBe(1);
  });

  it('asks for one event at a time to stay alive while the queue is full, but not for ever', () => {
    const window = new PullWindow(100, 10);
    window.ask(0);
    window.arrived(10, 0);
    for (let n = 0; n < LIFELINES_MAX; n++) {
      expect(window.askForLife(10 + n)).toBe(1);
      window.arrived(1, 0);
    }
    expect(window.askForLife(10 + LIFELINES_MAX)).toBe(0);
    expect(window.askForLife(0)).toBe(10);
  });

  it('believes Salesforce where it has lost count: in a keep-alive, and when nothing was owed for long', () => {
    const window = new PullWindow(100, 1_000);
    window.ask(0);
    window.arrived(0, 10);
    expect(window.ask(0)).toBe(90);
    expect(window.askForLife(0)).toBe(100);
  });

  it('never asks for more than window and queue allow, and always asks when nothing is under way and there is room', () => {
    const counts = fc.integer({ min: 0, max: 120 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.array(fc.tuple(counts, counts)), (queueMax, steps) => {
        const window = new PullWindow(100, queueMax);
        let [underWay, waiting] = [0, 0];
        for (const [arrive, take] of steps) {
          underWay += window.ask(waiting);
          expect(underWay).toBeLessThanOrEqual(100);
          expect(underWay + waiting).toBeLessThanOrEqual(queueMax);
          expect(underWay > 0 || waiting >= queueMax).toBe(true);
          const arrived = Math.min(arrive, underWay);
          if (arrived > 0) window.arrived(arrived, underWay - arrived);
          [underWay, waiting] = [underWay - arrived, Math.max(0, waiting + arrived - take)];
        }
      }),
    );
  });
});
