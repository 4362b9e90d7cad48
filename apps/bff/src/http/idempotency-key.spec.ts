import { describe, expect, it } from '@jest/globals';
import { idempotencyKeyOf } from './idempotency-key.js';

describe('[C3] the Idempotency-Key header', () => {
  it('is a string in double quotes; its parameters are ignored', () => {
    expect(idempotencyKeyOf('"8e03978e-40d5-43e8-bc93-6894a57f9324"')).toBe('8e03978e-40d5-43e8-bc93-6894a57f9324');
    expect(idempotencyKeyOf(' "a b" ')).toBe('a b');
    expect(idempotencyKeyOf(String.raw`"a\"b"`)).toBe('a"b');
    expect(idempotencyKeyOf('"a"; v=1')).toBe('a');
  });

  it('may be left out', () => {
    expect(idempotencyKeyOf(undefined)).toBeUndefined();
  });

  it.each([
    ['a bare word', 'abc'],
    ['a bare UUID', '8e03978e-40d5-43e8-bc93-6894a57f9324'],
    ['a number', '17'],
    ['an open string', '"abc'],
    ['nothing', ''],
    ['an empty string', '""'],
    ['two strings', '"a", "b"'],
    ['letters that are not ASCII', '"ä"'],
    ['bytes', ':YWJj:'],
    ['too many characters', `"${'a'.repeat(256)}"`],
    ['several headers', ['"a"', '"b"']],
  ])('is refused as %s, with how to write it', (_, header) => {
    expect(() => idempotencyKeyOf(header)).toThrow(/in double quotes/);
  });
});
