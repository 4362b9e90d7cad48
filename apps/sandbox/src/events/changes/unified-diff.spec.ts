import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { unifiedDiff } from './unified-diff.js';

const lines = (count: number, changed?: number): string =>
  Array.from({ length: count }, (_, i) => `${i === changed ? 'CHANGED' : 'line'} ${i} ${'x'.repeat(90)}`).join('\n');

describe('the difference of a large text', () => {
  it('has the changed lines and the hash of the whole new value, in the form of the guide', () => {
    const [before, after] = [lines(20), lines(20, 7)];
    const hash = createHash('sha256').update(after).digest('hex');
    const [from, to] = [before.split('\n')[7], after.split('\n')[7]];
    expect(unifiedDiff(before, after)).toBe(`--- \n+++ ${hash}\n@@ -8,1 +8,1 @@\n-${from}\n+${to}\n`);
  });

  it.each([
    ['the text is short', 'a\nb', 'a\nc'],
    ['more than a quarter of the lines have changed', lines(12), lines(12).replace(/line [0-6]/g, 'other')],
    ['the length has changed by more than half', lines(40), lines(12)],
    ['there was no text before', null, lines(20)],
    ['it was emptied', lines(20), null],
    ['it would be longer than the text', `${'x'.repeat(1_200)}`, `${'y'.repeat(1_200)}`],
  ])('is not sent when %s', (_why, before, after) => {
    expect(unifiedDiff(before, after)).toBeUndefined();
  });
});
