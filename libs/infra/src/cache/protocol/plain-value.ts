/** The first place at which JSON does not give a value back unchanged. */
export interface Unplain {
  /**
   * The path from the value, e.g. `.items[3].date`. Keys that are not field names are left out, because they may be
   * data.
   */
  readonly path: string;
  /** The problem found there, in words. */
  readonly what: string;
}

/** Values at greater depth are checked for cycles; normal values stay far below it. */
const DEPTH_UNCHECKED = 100;
const FIELD_NAME = /^[A-Za-z_$][\w$]{0,39}$/;

/**
 * The first place that JSON changes. Undefined for a value that JSON gives back as it is: null, texts, booleans, finite
 * numbers, and arrays and plain objects of these. A property that is undefined is left out by JSON and reads the same,
 * so it is plain; in an array it is not.
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

/** Number of prototypes behind an object: 1 for a plain object, 2 for an array, also for those from other realms. */
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
