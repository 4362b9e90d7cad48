import { describe, expect, it } from '@jest/globals';
import { Encryption } from './encryption.js';

const key = (id: string) => ({ id, secret: new Uint8Array(32).fill(id.charCodeAt(0)) });
const plain = Buffer.from('an invoice');

describe('Encryption', () => {
  it('gives back what it encrypted, and never the same bytes twice', () => {
    const encryption = new Encryption([key('a')]);
    const one = encryption.encrypt(plain, 'billing:invoice:1');
    expect(encryption.decrypt(one, 'billing:invoice:1')).toEqual(plain);
    expect(one.includes(plain)).toBe(false);
    expect(encryption.encrypt(plain, 'billing:invoice:1').equals(one)).toBe(false);
  });

  it('decrypts with any of its keys and encrypts with the first', () => {
    const old = new Encryption([key('a')]).encrypt(plain, 'k');
    const rotated = new Encryption([key('b'), key('a')]);
    expect(rotated.decrypt(old, 'k')).toEqual(plain);
    expect(new Encryption([key('a')]).decrypt(rotated.encrypt(plain, 'k'), 'k')).toBeUndefined();
  });

  it('refuses bytes of another entry, changed bytes, cut bytes and rubbish', () => {
    const encryption = new Encryption([key('a')]);
    const bytes = encryption.encrypt(plain, 'k');
    expect(encryption.decrypt(bytes, 'other')).toBeUndefined();
    for (let i = 0; i < bytes.length; i++) {
      const changed = Buffer.from(bytes);
      changed[i] = (changed[i] as number) ^ 1;
      expect(encryption.decrypt(changed, 'k')).toBeUndefined();
      expect(encryption.decrypt(bytes.subarray(0, i), 'k')).toBeUndefined();
    }
  });

  it('needs keys of 32 bytes with an id', () => {
    expect(() => new Encryption([])).toThrow(/at least one/);
    expect(() => new Encryption([{ id: 'a', secret: new Uint8Array(16) }])).toThrow(/32 bytes/);
    expect(() => new Encryption([{ id: '', secret: new Uint8Array(32) }])).toThrow(/id/);
  });
});
