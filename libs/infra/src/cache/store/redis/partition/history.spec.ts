import { beforeEach, describe, expect, it } from '@jest/globals';
import { History, type Shown } from './partition.js';

const at = (clock: number, born = 1, branch = 't'): Shown => {
  const [a, b, c] = [1, 2, 3].map((n) => `${branch}${clock - n}`);
  return { born, clock, tip: `${branch}${clock}`, recent: `${a},${b},${c}` };
};
const told = (clock: number, born = 1, previousTip = `t${clock - 1}`) => ({ ...at(clock, born), previousTip });

describe('History', () => {
  let history: History;
  beforeEach(() => {
    history = new History();
    history.settle(at(5));
  });

  it('believes what contains what was known when it was asked, and learns from it', () => {
    const asked = history.moment;
    expect(history.judge(at(7), asked)).toBe('yes');
    expect(history.known).toEqual([7, 't7', 1]);
    expect(history.judge(at(6), asked)).toBe('yes'); // overtaken by a newer answer
    expect(history.known).toEqual([7, 't7', 1]);
  });

  it('[A2] [invariant 18] does not believe what shows less, nor another branch of the history at the same clock', () => {
    expect(history.judge(at(4), history.moment)).toBe('no');
    expect(history.judge(at(5, 1, 'other'), history.moment)).toBe('no');
    expect(history.hear(told(6))).toBe(true);
    expect(history.judge(at(5), history.moment)).toBe('no');
    expect(history.known).toEqual([6, 't6', 1]);
  });

  it('[A2] takes no later clock for a proof', () => {
    expect(history.judge(at(6, 1, 'other'), history.moment)).toBe('unproven');
    expect(history.judge(at(9), history.moment)).toBe('unproven'); // its recent tips do not reach back to t5
    expect(history.hear(told(9))).toBe(false);
    expect(history.hear(told(6, 1, 'other5'))).toBe(false);
    expect(history.known).toEqual([5, 't5', 1]);
    history.settle(at(9)); // a script has found t5 in its history
    expect(history.judge(at(9), history.moment)).toBe('yes');
  });

  it('[A2] does not believe another history before it was looked at', () => {
    const asked = history.moment;
    expect(history.judge(at(100, 2), asked)).toBe('no');
    expect(history.hear(told(100, 2))).toBe(false);
    history.settle(at(100, 2));
    expect(history.judge(at(100, 2), asked)).toBe('yes'); // asked before the change, answered after it
    expect(history.judge(at(5), asked)).toBe('yes'); // asked and answered before the change
    expect(history.judge(at(5), history.moment)).toBe('no');
  });

  it('hears what a reply has told before without a doubt', () => {
    history.judge(at(7), history.moment);
    expect(history.hear(told(6))).toBe(true);
    expect(history.hear(told(7))).toBe(true);
    expect(history.known).toEqual([7, 't7', 1]);
  });

  it('believes nothing before the history was looked at', () => {
    const fresh = new History();
    expect(fresh.known).toEqual(['-1', '', '']);
    expect(fresh.judge(at(5), fresh.moment)).toBe('no');
    expect(fresh.hear(told(5))).toBe(true);
  });

  it('keeps what a message told while it was looked at', () => {
    history.hear(told(6));
    history.settle(at(5));
    expect(history.known).toEqual([6, 't6', 1]);
  });
});
