import { CacheError, invalidOption } from '../cache.errors.js';
import type { StoredValue } from './cache-store.js';
import type { Encryption } from '../encryption.js';

/** How to read the bytes of a stored value. The numbers are kept in the store: never reuse one. */
const JSON_TEXT = 0;
const ENCRYPTED_JSON = 1;

/** Maximum kinds of entries that this process warns about; nobody reads more warnings. */
const WARNED_MAX = 100;

/** Converts values to their stored form, and back. */
export class ValueCodec {
  private readonly warned = new Set<string>();
  private readonly sensitivePrefixes = new Set<string>();

  /** @param isStrict refuse values that JSON changes, instead of changing them for all callers */
  constructor(
    private readonly encryption: Encryption | undefined,
    private readonly isStrict = false,
  ) {}

  /**
   * The form of a fetched value that every caller receives: the same as the store would give back, so that the first
   * caller sees nothing that later ones do not. A plain value stays as it is. Any other value becomes its JSON form, or
   * is refused with `CACHE_VALUE_NOT_PLAIN` if the cache is strict. Throws `CACHE_VALUE_NOT_SERIALIZABLE` for a value
   * without a JSON form.
   */
  faithful(key: string, value: unknown): { readonly value: unknown; readonly isReshaped: boolean } {
    const unplain = firstUnplain(value);
    if (!unplain) return { value, isReshaped: false };
    const reshaped: unknown = JSON.parse(serialize(key, value, unplain));
    if (this.isStrict) throw notPlain(key, unplain);
    this.warn(key, unplain);
    return { value: reshaped, isReshaped: true };
  }

  /**
   * From now on a value of a bucket whose keys begin with this `domain:bucket` counts only if it is encrypted: a plain
   * one was written by somebody without a key, or before the bucket was sensitive.
   */
  requireEncryption(prefix: string): void {
    this.sensitivePrefixes.add(prefix);
  }

  /** Throws for a value that JSON cannot hold, and for a sensitive value without a key to encrypt it with. */
  encode(key: string, value: unknown, sensitive: boolean): StoredValue {
    const bytes = Buffer.from(serialize(key, value));
    if (!sensitive) return { codec: JSON_TEXT, bytes };
    if (!this.encryption) {
      throw invalidOption(`${key} is sensitive, and the cache has no encryption keys`);
    }
    return { codec: ENCRYPTED_JSON, bytes: this.encryption.encrypt(bytes, key) };
  }

  /**
   * The value, or undefined if this process cannot read it: damaged, written with a key that it no longer has, moved
   * here from another entry, plain in a sensitive bucket, or written by a newer version. The reader treats that as a
   * miss, and the next build replaces it.
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

  /** Warns once for each kind of entry. The counter `reshaped` counts every fetch, where there are counters. */
  private warn(key: string, { path, what }: Unplain): void {
    const kind = kindOf(key);
    if (this.warned.has(kind) || this.warned.size >= WARNED_MAX) return;
    this.warned.add(kind);
    const text = `values of ${kind} are not plain: value${path} is ${what}; everybody is given what JSON makes of it`;
    process.emitWarning(text, { code: 'CACHE_VALUE_NOT_PLAIN' });
  }

  private textOf(key: string, stored: StoredValue): string | undefined {
    if (stored.codec === ENCRYPTED_JSON) return this.encryption?.decrypt(stored.bytes, key)?.toString('utf8');
    if (stored.codec !== JSON_TEXT || this.isSensitive(key)) return undefined;
    return stored.text ?? stored.bytes.toString('utf8');
  }

  private isSensitive(key: string): boolean {
    if (this.sensitivePrefixes.size === 0) return false;
    const end = key.indexOf(':', key.indexOf(':') + 1);
    return this.sensitivePrefixes.has(end < 0 ? key : key.slice(0, end));
  }
}

/** The domain and bucket of a key, without parts that may be somebody's id. */
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

/** The first place at which JSON does not give a value back unchanged. */
export interface Unplain {
  /**
   * The path from the value, e.g. `.items[3].date`. Keys that do not look like field names become `[…]`, because they
   * may be data.
   */
  readonly path: string;
  /** The problem found there, in words. */
  readonly what: string;
}

/** Depth up to which values are not checked for cycles, to save time: normal values stay far below it. */
const DEPTH_UNCHECKED = 100;
const FIELD_NAME = /^[A-Za-z_$][\w$]{0,39}$/;

/**
 * The first place that JSON changes. Undefined for a value that JSON gives back as it is: null, texts, booleans, finite
 * numbers except -0, and arrays and plain objects of these. A property that is undefined is left out by JSON and reads
 * the same, so it is plain; in an array it is not.
 */
export function firstUnplain(value: unknown): Unplain | undefined {
  return value === undefined ? undefined : look(value, []);
}

function look(value: unknown, ancestors: object[]): Unplain | undefined {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return undefined;
  if (typeof value === 'number') return lookAtNumber(value);
  if (typeof value !== 'object') return found(value === undefined ? 'undefined' : `a ${typeof value}`);
  if (ancestors.length > DEPTH_UNCHECKED && ancestors.includes(value)) return found('a part of itself');
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function') return found(`${nameOf(value)} with toJSON()`);
  ancestors.push(value);
  const inside = Array.isArray(value) ? lookIntoArray(value, ancestors) : lookIntoObject(value, ancestors);
  ancestors.pop();
  return inside;
}

function lookAtNumber(value: number): Unplain | undefined {
  if (Object.is(value, -0)) return found('-0');
  return Number.isFinite(value) ? undefined : found(String(value));
}

function lookIntoArray(array: readonly unknown[], ancestors: object[]): Unplain | undefined {
  if (inheritance(array) !== 2) return found(nameOf(array));
  for (let i = 0; i < array.length; i++) {
    const inside = look(array[i], ancestors);
    if (inside) return { ...inside, path: `[${i}]${inside.path}` };
  }
  return Object.keys(array).length === array.length ? undefined : found('an array with properties of its own');
}

function lookIntoObject(object: object, ancestors: object[]): Unplain | undefined {
  if (inheritance(object) > 1) return found(nameOf(object));
  if (Object.getOwnPropertySymbols(object).length > 0) return found('an object with symbols for keys');
  for (const key of Object.keys(object)) {
    const part = (object as Record<string, unknown>)[key];
    const inside = part === undefined ? undefined : look(part, ancestors);
    if (inside) return { ...inside, path: `${FIELD_NAME.test(key) ? `.${key}` : '[…]'}${inside.path}` };
  }
  return undefined;
}

/**
 * Number of prototypes behind an object, counted up to 4: 1 for a plain object, 2 for an array, also for those from
 * other realms.
 */
function inheritance(object: object): number {
  let count = 0;
  for (let at: unknown = Object.getPrototypeOf(object); at !== null && count < 4; count++)
    at = Object.getPrototypeOf(at);
  return count;
}

function nameOf(object: object): string {
  const { constructor } = object as { constructor?: unknown };
  return typeof constructor === 'function' && constructor.name !== ''
    ? `a ${constructor.name}`
    : 'an object with a prototype';
}

function found(what: string): Unplain {
  return { path: '', what };
}
