import { describe, expect, it } from '@jest/globals';
import { differenceOf } from './difference.js';

describe('two bodies', () => {
  it('are equal whatever the order of their rows', () => {
    expect(differenceOf([{ id: 'a', n: 1 }, { id: 'b' }], [{ id: 'b' }, { id: 'a', n: 1 }])).toBeUndefined();
  });

  it('differ where a value does, deep inside too', () => {
    const body = (n: number) => ({ products: [{ id: 'a', price: n }] });
    expect(differenceOf(body(1), body(2))).toBe('products[a].price is 1, the org holds 2');
  });

  it('differ where a row is missing, or is not there any more', () => {
    expect(differenceOf([], [{ id: 'a' }])).toBe('[a] is missing');
    expect(differenceOf([{ id: 'a' }], [])).toBe('[a] is shown, the org has none');
  });

  it('differ where plain lists do', () => {
    expect(differenceOf({ regions: ['v1'] }, { regions: ['v2'] })).toBe('regions[0] is "v1", the org holds "v2"');
    expect(differenceOf({ regions: ['v1'] }, { regions: [] })).toBe('regions has 1 entries, the org 0');
  });

  it('differ where only one is there', () => {
    expect(differenceOf(undefined, { id: 'a' })).toContain('body is not there');
    expect(differenceOf({ a: null }, { a: 0 })).toBe('a is null, the org holds 0');
  });
});
