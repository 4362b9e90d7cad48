import { describe, expect, it } from '@jest/globals';
import { toInstant } from './salesforce-instant.js';

describe('[N11] an instant of Salesforce', () => {
  it.each([
    ['2026-01-01T10:00:00.000+0000', '2026-01-01T10:00:00.000Z'],
    ['2026-01-01T10:00:00.000Z', '2026-01-01T10:00:00.000Z'],
    ['2026-01-01T10:00:00.123-0930', '2026-01-01T19:30:00.123Z'],
    ['2026-01-01T10:00:00+09:00', '2026-01-01T01:00:00.000Z'],
  ])('has the form of RFC 3339: %s', (given, expected) => expect(toInstant(given)).toBe(expected));

  it.each(['', 'yesterday', '2026-13-01T10:00:00.000+0000'])('is refused if it is none: %j', (given) => {
    expect(() => toInstant(given)).toThrow(RangeError);
  });
});
