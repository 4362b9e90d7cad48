import { CacheError } from '../cache.errors.js';
import type { StoredValue } from '../store/cache-store.js';
import type { Encryption } from './encryption.js';
import { firstUnplain, type Unplain } from './plain-value.js';

/** How the bytes of a stored value are to be read. The numbers are kept in the store: never reuse one. */
const JSON_TEXT = 0;
const ENCRYPTED_JSON = 1;

/** Kinds of entries that a warning has named; of more than this nobody reads. */
const WARNED_MAX = 100;

/** Turns values into what the store keeps, and back. */
export class ValueCodec {
  private readonly warned = new Set<string>();

  /** @param isStrict refuse values that JSON changes, instead of changing them for everybody */
  constructor(
    private readonly encryption: Encryption | undefined,
    private readonly isStrict = false,
  ) {}

  /**
   * What everybody is to be given of a value that was fetched: what the store would give back, so that the first caller sees
   * nothing that later ones do not. A plain value itself; of another one its JSON form, or `CACHE_VALUE_NOT_PLAIN` where the
   * cache is strict. Rejects what has no JSON form.
   */
  faithful(key: string, value: unknown): { readonly value: unknown; readonly isReshaped: boolean } {
    const unplain = firstUnplain(value);
    if (!unplain) return { value, isReshaped: false };
    const reshaped: unknown = JSON.parse(serialize(key, value, unplain));
    if (this.isStrict) throw notPlain(key, unplain);
    this.warn(key, unplain);
    return { value: reshaped, isReshaped: true };
  }

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

  /** Once for each kind of entry: every build of it is counted, where there are counters. */
  private warn(key: string, { path, what }: Unplain): void {
    const kind = kindOf(key);
    if (this.warned.has(kind) || this.warned.size >= WARNED_MAX) return;
    this.warned.add(kind);
    const text = `values of ${kind} are not plain: value${path} is ${what}; everybody is given what JSON makes of it`;
    process.emitWarning(text, { code: 'CACHE_VALUE_NOT_PLAIN' });
  }

  private textOf(key: string, stored: StoredValue): string | undefined {
    if (stored.codec === JSON_TEXT) return stored.text ?? stored.bytes.toString('utf8');
    return stored.codec === ENCRYPTED_JSON ? this.encryption?.decrypt(stored.bytes, key)?.toString('utf8') : undefined;
  }
}

/** The domain and bucket of a key, without what may be somebody's id. */
function kindOf(key: string): string {
  const [domain, bucket, id] = key.split(':', 3);
  if (bucket === undefined) return 'a key without a domain';
  return id === undefined ? `${domain}` : `${domain}:${bucket}`;
}

function notPlain(key: string, { path, what }: Unplain): CacheError {
  const advice =
    'return plain data (texts, finite numbers, booleans, null, arrays, objects of these), a date as its text';
  const text = `the value of ${key} would not come back as it is: value${path} is ${what}; ${advice}`;
  return new CacheError('CACHE_VALUE_NOT_PLAIN', text, false);
}

function serialize(key: string, value: unknown, unplain?: Unplain): string {
  let text: string | undefined;
  let cause: unknown;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    cause = error;
  }
  if (text !== undefined) return text;
  const where = unplain ? ` (value${unplain.path} is ${unplain.what})` : '';
  throw new CacheError(
    'CACHE_VALUE_NOT_SERIALIZABLE',
    `the value of ${key} has no JSON form${where}: return plain data from the fetcher`,
    false,
    { cause },
  );
}
