import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { inspect } from 'node:util';
import { runInNewContext } from 'node:vm';
import { reportDefect } from './defect-report.js';

describe('a defect that nobody waits for', () => {
  // Jest gives a test its own `process`, whose listeners receive no warnings.
  const emitWarning = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
  afterAll(() => emitWarning.mockRestore());
  const told = (thrown: unknown): string => {
    reportDefect(thrown);
    const [text, kind] = emitWarning.mock.lastCall as unknown[];
    expect(kind).toEqual({ type: 'CacheDefectWarning' });
    expect(typeof text).toBe('string'); // Node accepts only a text or an error
    return text as string;
  };

  it('is reported with its stack, also from another realm', () => {
    const error = new Error('broken');
    expect(told(error)).toBe(error.stack);
    expect(told(runInNewContext("new Error('of another realm')"))).toMatch(/^Error: of another realm\n +at /);
  });

  it('is reported without the fields of the error and of its cause', () => {
    const cause = Object.assign(new Error('refused'), { command: { args: ['secret'] } });
    const error = Object.assign(new Error('broken', { cause }), { config: { headers: { authorization: 'secret' } } });
    expect(told(error)).not.toContain('secret');
    error.stack = undefined as unknown as string;
    expect(told(error)).toBe('broken');
  });

  const circular: { self?: unknown } = {};
  circular.self = circular;
  it.each([
    ['a circle', circular, /Circular/],
    ['a BigInt', 1n, /^1n$/],
    ['an object with a BigInt', { amount: 1n }, /1n/],
    ['nothing', undefined, /^undefined$/],
    ['null', null, /^null$/],
    ['a text', 'text', /text/],
    ['a symbol', Symbol('s'), /Symbol\(s\)/],
    ['a function', function named() {}, /named/],
    ['an error whose message is no text', Object.assign(new Error('x'), { stack: 1, message: 2n }), /^2$/],
  ])('is reported whatever was thrown: %s', (_, thrown, text) => {
    expect(told(thrown)).toMatch(text);
  });

  const refuse = () => {
    throw new Error('not to be looked at');
  };
  it.each([
    ['a getter that throws', Object.defineProperty({}, 'stack', { get: refuse })],
    ['a proxy that throws', new Proxy({}, { get: refuse })],
    ['an own inspection that throws', { [inspect.custom]: refuse }],
    [
      'an error whose message cannot be a text',
      Object.assign(new Error('x'), { stack: 1, message: Object.create(null) }),
    ],
  ])('is reported even if it cannot be shown: %s', (_, thrown) => {
    expect(told(thrown)).toMatch(/cannot be shown/);
  });

  it('is reported briefly, however much was thrown', () => {
    const deep = { one: { two: { three: { four: 'deep' } } } };
    const much = { deep, text: 'x'.repeat(100_000), list: Array.from({ length: 100_000 }, (_, i) => i) };
    const text = told(much);
    expect(text.length).toBeLessThan(2_000);
    expect(text).not.toContain('four');
    const wide = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`field${i}`, i]));
    expect(told(wide)).toHaveLength(2_000);
  });
});
