import { CacheError } from '../cache.errors.js';

const KEY_BYTES_MAX = 1024;

/**
 * Throws `CACHE_INVALID_KEY` for a key that is empty or no text, has more than 1,024 bytes, or holds control characters
 * (NUL separates fields in the store) or half a surrogate pair.
 */
export function checkKey(key: string): void {
  const problem = keyProblem(key);
  if (problem) throw new CacheError('CACHE_INVALID_KEY', problem, false);
}

/** Matches nearly all keys, which then need no closer look. */
const PLAIN = /^[\x20-\x7E]+$/;

function keyProblem(key: string): string | undefined {
  if (typeof key !== 'string' || key.length === 0) return 'a key is a text of at least one character';
  if (key.length <= KEY_BYTES_MAX && PLAIN.test(key)) return undefined;
  if (/[\p{Cc}\p{Cs}]/u.test(key)) return 'a key holds no control characters and no halves of characters';
  return Buffer.byteLength(key) > KEY_BYTES_MAX ? `a key has at most ${KEY_BYTES_MAX} bytes` : undefined;
}
