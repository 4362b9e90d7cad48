import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { RecentReads } from './recent-reads.js';

describe('recent reads', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('knows the parts of what was read lately, and forgets with time', () => {
    const recent = new RecentReads(10_000);
    recent.note('d:b:1', ['1']);
    expect(recent.partsOf('d:b:1')).toEqual(['1']);
    expect(recent.partsOf('d:b:2')).toBeUndefined();
    jest.advanceTimersByTime(9000);
    recent.note('d:b:1', ['1']);
    jest.advanceTimersByTime(9000);
    expect(recent.partsOf('d:b:1')).toEqual(['1']);
    jest.advanceTimersByTime(3000);
    expect(recent.partsOf('d:b:1')).toBeUndefined();
  });

  it('remembers a thousand keys, those read last', () => {
    const recent = new RecentReads(3_600_000);
    for (let i = 0; i < 1000; i++) recent.note(`d:b:${i}`, [`${i}`]);
    jest.advanceTimersByTime(2000);
    recent.note('d:b:0', ['0']);
    recent.note('d:b:1000', ['1000']);
    expect(recent.partsOf('d:b:0')).toEqual(['0']);
    expect(recent.partsOf('d:b:1')).toBeUndefined();
    expect(recent.partsOf('d:b:1000')).toEqual(['1000']);
  });
});
