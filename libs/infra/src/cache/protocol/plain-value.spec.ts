import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { firstUnplain } from './value-codec.js';

class Money {
  constructor(readonly amount: number) {}
}
class Rows extends Array<number> {}
const cyclic: Record<string, unknown> = { name: 'a' };
cyclic['self'] = { again: cyclic };
const extended = Object.assign([1], { total: 1 });
const deep = (levels: number): unknown => (levels === 0 ? 'end' : { next: deep(levels - 1) });

describe('[B12] a value that JSON gives back as it is', () => {
  it.each<[string, unknown]>([
    ['texts, numbers, booleans and null', ['', 'é\u{1F600}\uD800', 0, -1.5, Number.MAX_VALUE, true, false, null]],
    ['objects in arrays in objects', { a: [{ b: [] }, {}], __proto__: null }],
    ['a property that is undefined', { a: undefined, b: 1 }],
    ['nothing', undefined],
    ['what another realm made', runInNewContext('({ a: [1, { b: 2 }] })')],
    ['what is shared, but no part of itself', ((shared) => [shared, shared])({ a: 1 })],
    ['what is deep', deep(300)],
    ['the answer of a source', JSON.parse('{"a":[1,{"__proto__":1}]}')],
  ])('%s', (_, value) => {
    expect(firstUnplain(value)).toBeUndefined();
    if (value !== undefined) expect(JSON.parse(JSON.stringify(value))).toEqual(value);
  });

  it.each<[string, unknown, string, string]>([
    ['a date', { orders: [{ at: new Date(0) }] }, '.orders[0].at', 'a Date with toJSON()'],
    ['a map', { a: new Map() }, '.a', 'a Map'],
    ['a set', [new Set()], '[0]', 'a Set'],
    ['an object of a class', { price: new Money(1) }, '.price', 'a Money'],
    ['an array of a class', { rows: Rows.of(1) }, '.rows', 'a Rows'],
    ['bytes', { a: Buffer.from('a') }, '.a', 'a Buffer with toJSON()'],
    ['typed numbers', { a: new Float64Array(1) }, '.a', 'a Float64Array'],
    ['a pattern', /a/, '', 'a RegExp'],
    ['an error', { a: new Error('a') }, '.a', 'a Error'],
    ['what says how it is written', { a: { toJSON: () => 1 } }, '.a', 'a Object with toJSON()'],
    ['NaN', { a: [1, NaN] }, '.a[1]', 'NaN'],
    ['infinity', -Infinity, '', '-Infinity'],
    ['minus zero', { a: -0 }, '.a', '-0'],
    ['a BigInt', { a: 1n }, '.a', 'a bigint'],
    ['a function', { a: () => 1 }, '.a', 'a function'],
    ['undefined in an array', { a: [undefined] }, '.a[0]', 'undefined'],
    ['a hole', Array(2), '[0]', 'undefined'],
    ['an array with more than its items', { a: extended }, '.a', 'an array with properties of its own'],
    ['symbols', { [Symbol('a')]: 1 }, '', 'an object with symbols for keys'],
    ['a cycle', cyclic, expect.stringMatching(/^(\.self\.again)+/) as unknown as string, 'a part of itself'],
    ['a name that may be data', { 'alice@example.org': { '801-1': NaN } }, '[…][…]', 'NaN'],
  ])('is not %s, and it is said where that stands', (_, value, path, what) => {
    expect(firstUnplain(value)).toEqual({ path, what });
  });
});
