import { strict as assert } from 'node:assert';

/** What the contract demands of a value. The names are those of Jest and Vitest, and mean what they mean there. */
export interface Expectation {
  readonly not: { toBe(expected: unknown): void };
  toBe(expected: unknown): void;
  toBeUndefined(): void;
  toEqual(expected: unknown): void;
  /** Objects may have more members than `expected`, at every depth; arrays may not. */
  toMatchObject(expected: object): void;
  toContain(expected: unknown): void;
  toHaveLength(expected: number): void;
  toBeGreaterThan(expected: number): void;
  toBeGreaterThanOrEqual(expected: number): void;
  toBeLessThan(expected: number): void;
  toBeLessThanOrEqual(expected: number): void;
}

/**
 * The assertions of the contract, made of those of Node, so that every test runner can run it. They throw an
 * `AssertionError`, which shows what differs.
 */
export function expect(actual: unknown): Expectation {
  const isNumber = (holds: (n: number) => boolean, text: string) =>
    assert.ok(typeof actual === 'number' && holds(actual), `expected ${String(actual)} to be ${text}`);
  return {
    not: { toBe: (expected) => assert.notEqual(actual, expected) },
    toBe: (expected) => assert.equal(actual, expected),
    toBeUndefined: () => assert.equal(actual, undefined),
    toEqual: (expected) => assert.deepEqual(defined(actual), defined(expected)),
    toMatchObject: (expected) => assert.deepEqual(defined(partLike(actual, expected)), defined(expected)),
    toContain: (expected) =>
      assert.ok((actual as readonly unknown[]).includes(expected), `${String(expected)} is missing`),
    toHaveLength: (expected) => assert.equal((actual as { readonly length: number }).length, expected),
    toBeGreaterThan: (expected) => isNumber((n) => n > expected, `above ${expected}`),
    toBeGreaterThanOrEqual: (expected) => isNumber((n) => n >= expected, `at least ${expected}`),
    toBeLessThan: (expected) => isNumber((n) => n < expected, `below ${expected}`),
    toBeLessThanOrEqual: (expected) => isNumber((n) => n <= expected, `at most ${expected}`),
  };
}

/** A copy of plain objects and arrays without the members that are undefined, which count as absent. */
function defined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(defined);
  if (!isPlain(value)) return value;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(members.map(([name, member]) => [name, defined(member)]));
}

/** The part of `actual` that `expected` names. */
function partLike(actual: unknown, expected: unknown): unknown {
  if (Array.isArray(actual) && Array.isArray(expected)) return actual.map((each, i) => partLike(each, expected[i]));
  if (typeof actual !== 'object' || actual === null || !isPlain(expected)) return actual;
  const members = actual as Readonly<Record<string, unknown>>;
  return Object.fromEntries(Object.keys(expected).map((name) => [name, partLike(members[name], expected[name])]));
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
