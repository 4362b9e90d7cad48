import { describe, expect, it } from '@jest/globals';
import { DELETED, Freshness } from './freshness.js';

const ITEM = 'OrderItem 802' as const;

function calm(): Freshness {
  const freshness = new Freshness(1_000);
  freshness.calm(0);
  return freshness;
}

describe('a read', () => {
  it('is stale when it began longer than the bound after a newer version was acknowledged', () => {
    const freshness = calm();
    freshness.acknowledged(ITEM, 1, 100);
    freshness.acknowledged(ITEM, 2, 5_000);
    freshness.judge('r', [{ fact: ITEM, version: 1 }], 6_001);
    expect(freshness.stale).toEqual([{ reader: 'r', fact: ITEM, version: 1, required: 2, ageMs: 1_001 }]);
  });

  it('may return the older version within the bound, and newer ones always', () => {
    const freshness = calm();
    freshness.acknowledged(ITEM, 1, 100);
    freshness.acknowledged(ITEM, 2, 5_000);
    freshness.judge('r', [{ fact: ITEM, version: 1 }], 5_900);
    freshness.judge('r', [{ fact: ITEM, version: 3 }], 9_000);
    expect(freshness.staleCount).toBe(0);
    expect(freshness.judgedReads).toBe(2);
  });

  it('is not judged until the bound has passed since the last disturbance', () => {
    const freshness = calm();
    freshness.acknowledged(ITEM, 2, 100);
    freshness.disturbed();
    freshness.judge('r', [{ fact: ITEM, version: 1 }], 5_000);
    freshness.calm(6_000);
    freshness.judge('r', [{ fact: ITEM, version: 1 }], 6_900);
    expect(freshness.judgedReads).toBe(0);
    freshness.judge('r', [{ fact: ITEM, version: 1 }], 7_000);
    expect(freshness.staleCount).toBe(1);
  });

  it('that shows a deleted record is stale whatever version it shows', () => {
    const freshness = calm();
    freshness.acknowledged(ITEM, DELETED, 100);
    freshness.judge('r', [{ fact: ITEM, version: 99 }], 2_000);
    expect(freshness.staleCount).toBe(1);
  });

  it('of what is not known any more is not judged', () => {
    const freshness = calm();
    freshness.acknowledged(ITEM, DELETED, 100);
    freshness.forget(ITEM);
    freshness.judge('r', [{ fact: ITEM, version: 1 }], 2_000);
    expect(freshness.staleCount).toBe(0);
  });
});
