import { describe, expect, it } from '@jest/globals';
import { buildKey } from './bucket.js';
import { checkKey } from './protocol/check-key.js';

describe('keys', () => {
  it('are built from encoded parts', () => {
    expect(buildKey('orders', 'account', ['001xx000003EgI1AAK'])).toBe('orders:account:001xx000003EgI1AAK');
    expect(buildKey('d', 't', ['a:b', 'ü'])).toBe('d:t:a%3Ab:%C3%BC');
  });

  it.each(['a', 'a:b', 'ünïcode', 'x'.repeat(1024), 'a b'])('%.20s is one', (key) => {
    expect(() => checkKey(key)).not.toThrow();
  });

  it.each([
    ['', /at least one/],
    ['x'.repeat(1025), /1024 bytes/],
    ['ü'.repeat(513), /1024 bytes/],
    ['a\0b', /control/],
    ['a\n', /control/],
  ])('%.5j… is none, and the error says why', (key, why) => {
    expect(() => checkKey(key)).toThrow(why);
  });

  it('what is not a text is refused as well', () => {
    expect(() => checkKey(undefined as unknown as string)).toThrow(/text/);
  });
});
