import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { KeyPattern } from './key-pattern.js';

const matches = (pattern: string, key: string) => new KeyPattern(pattern).matches(key);

describe('KeyPattern', () => {
  it.each([
    ['*', '', true],
    ['*', 'a:b', true],
    ['a:*', 'a:b:c', true],
    ['a:*:c', 'a:b:c', true],
    ['a:*:c', 'a:b:d', false],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['a.c', 'abc', false],
    ['a+', 'aa', false],
    ['[ab]', 'a', false],
    ['[ab]', '[ab]', true],
    ['a\\*b', 'a*b', true],
    ['a\\*b', 'axb', false],
    ['a\\?', 'ab', false],
    ['**a**', 'xay', true],
    ['', '', true],
    ['', 'a', false],
    ['?', '😀', true],
  ])('[E21] %j on %j is %j', (pattern, key, expected) => {
    expect(matches(pattern, key)).toBe(expected);
  });

  it('agrees with the regular expression that says the same', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', ':', '.'), maxLength: 12 });
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', ':', '.', '*', '?'), maxLength: 8 });
    fc.assert(
      fc.property(pattern, text, (p, t) => {
        const source = p.replace(/[.]/g, '\\.').replace(/\*/g, '[^]*').replace(/\?/g, '[^]');
        return matches(p, t) === new RegExp(`^${source}$`).test(t);
      }),
    );
  });

  it('stays quick on patterns that make regular expressions explode', () => {
    expect(matches('*a'.repeat(200) + 'b', 'a'.repeat(1000))).toBe(false);
  });
});
