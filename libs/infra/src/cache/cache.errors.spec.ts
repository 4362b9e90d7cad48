import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';

const codesIn = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map((match) => match[1]).sort();

describe('the error reference', () => {
  it('lists every code of the cache, and no other', () => {
    const source = readFileSync(new URL('./cache.errors.ts', import.meta.url), 'utf8');
    const page = readFileSync('docs/reference/errors.md', 'utf8');
    expect(codesIn(page, /^\| `(CACHE_\w+)`/gm)).toEqual(codesIn(source, /\| '(CACHE_\w+)'/g));
  });
});
