import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { likePattern } from './like-pattern.js';
import { tokenize } from '../parsing/tokenizer.js';

function like(pattern: string): (text: string) => boolean {
  const [token] = tokenize(`'${pattern}'`);
  if (token?.kind !== 'string') throw new Error('not a string');
  return likePattern(token.literal);
}

describe('LIKE', () => {
  it.each([
    ['%', '', true],
    ['a%c', 'abbbc', true],
    ['a%c', 'abbbd', false],
    ['%b%b%', 'abab', true],
    ['_', '', false],
    ['a_c', 'ABC', true],
    ['\\%', '%', true],
    ['\\%', 'x', false],
    ['a\\_c', 'abc', false],
    ['.*', 'anything', false],
  ])('%s matches %j: %s', (pattern, text, expected) => {
    expect(like(pattern)(text)).toBe(expected);
  });

  it('agrees with a regular expression for every pattern and text', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '%', '_', '.'), maxLength: 8 });
    fc.assert(
      fc.property(text, text, (pattern, candidate) => {
        const source = pattern.replace(/\./g, '\\.').replace(/%/g, '[^]*').replace(/_/g, '[^]');
        return like(pattern)(candidate) === new RegExp(`^${source}$`).test(candidate);
      }),
    );
  });

  it('takes no exploding time for a chain of wildcards', () => {
    const start = performance.now();
    expect(like('%a'.repeat(200) + '%b')('a'.repeat(20_000))).toBe(false);
    expect(performance.now() - start).toBeLessThan(2_000);
  });
});
