import { describe, expect, it } from '@jest/globals';
import { Pseudonyms } from './pseudonyms.js';

const key = Buffer.alloc(32, 7).toString('base64');

describe('Pseudonyms', () => {
  it('are the same in every process with the same key, and hide the text', () => {
    const pseudonym = new Pseudonyms(key).of('subject', 'alice@example.org');
    expect(pseudonym).toBe(new Pseudonyms(key).of('subject', 'alice@example.org'));
    expect(pseudonym).toMatch(/^[A-Za-z0-9_-]{22}$/);
    expect(pseudonym).toBe('zGYiLPWW1G5ANUOSOUrzQQ');
  });

  it('differ by text, by kind and by key', () => {
    const one = new Pseudonyms(key);
    const all = [
      one.of('subject', 'a'),
      one.of('subject', 'b'),
      one.of('account', 'a'),
      new Pseudonyms().of('subject', 'a'),
    ];
    expect(new Set(all).size).toBe(4);
  });

  it('without a key mean nothing to another process', () => {
    expect(new Pseudonyms().of('account', 'a')).not.toBe(new Pseudonyms().of('account', 'a'));
  });
});
