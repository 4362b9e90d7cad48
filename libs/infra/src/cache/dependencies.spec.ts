import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import {
  encodePart,
  entry,
  entryKey,
  membership,
  namespace,
  record,
  storedDependencies,
  wholeTable,
} from './dependencies.js';

describe('dependencies', () => {
  it('encode every part, so that no two inputs meet', () => {
    expect(record('Order', '801')).toBe('r:Order:801');
    expect(record('Or:der', 'a*b')).toBe('r:Or%3Ader:a%2Ab');
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (a, b) => {
        expect(encodePart(a)).toMatch(/^[A-Za-z0-9._~@%-]*$/);
        return (a === b) === (encodePart(a) === encodePart(b));
      }),
    );
  });

  it('bring the whole table and the namespace along, once each', () => {
    expect(
      storedDependencies('orders:account:1', [
        record('Order', '1'),
        record('Order', '2'),
        membership('Account'),
        record('Order', '1'),
      ]),
    ).toEqual([
      record('Order', '1'),
      wholeTable('Order'),
      record('Order', '2'),
      membership('Account'),
      wholeTable('Account'),
      namespace('orders'),
    ]);
    expect(storedDependencies('single', [])).toEqual([]);
  });

  it('know an entry by its key, whatever characters it has', () => {
    expect(entryKey(entry('a:b c*'))).toBe('a:b c*');
    expect(entryKey(namespace('a'))).toBeUndefined();
  });
});
