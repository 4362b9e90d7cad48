import { CacheError } from '../cache.errors.js';
import type { StoredValue } from '../store/cache-store.js';
import type { Encryption } from './encryption.js';

/** How the bytes of a stored value are to be read. The numbers are kept in the store: never reuse one. */
const JSON_TEXT = 0;
const ENCRYPTED_JSON = 1;

/** Turns values into what the store keeps, and back. */
export class ValueCodec {
  constructor(private readonly encryption: Encryption | undefined) {}

  /** Rejects what JSON cannot hold, and a sensitive value where there is no key to encrypt it with. */
  encode(key: string, value: unknown, sensitive: boolean): StoredValue {
    const bytes = Buffer.from(serialize(key, value));
    if (!sensitive) return { codec: JSON_TEXT, bytes };
    if (!this.encryption) {
      throw new CacheError('CACHE_INVALID_OPTION', `${key} is sensitive, and the cache has no encryption keys`, false);
    }
    return { codec: ENCRYPTED_JSON, bytes: this.encryption.encrypt(bytes, key) };
  }

  /**
   * The value, or undefined if this process cannot read it: damaged, written with a key that it no longer has, or by a newer
   * version. To the reader that is a miss, and the next build replaces it.
   */
  decode(key: string, stored: StoredValue): { readonly value: unknown } | undefined {
    const text = this.textOf(key, stored);
    if (text === undefined) return undefined;
    try {
      return { value: JSON.parse(text) };
    } catch {
      return undefined; // damaged
    }
  }

  private textOf(key: string, stored: StoredValue): string | undefined {
    if (stored.codec === JSON_TEXT) return stored.text ?? stored.bytes.toString('utf8');
    return stored.codec === ENCRYPTED_JSON ? this.encryption?.decrypt(stored.bytes, key)?.toString('utf8') : undefined;
  }
}

function serialize(key: string, value: unknown): string {
  let text: string | undefined;
  let cause: unknown;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    cause = error;
  }
  if (text !== undefined) return text;
  throw new CacheError(
    'CACHE_VALUE_NOT_SERIALIZABLE',
    `the value of ${key} has no JSON form: return plain data from the fetcher`,
    false,
    { cause },
  );
}
