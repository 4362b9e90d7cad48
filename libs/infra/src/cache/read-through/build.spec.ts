import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { CacheError } from '../cache.errors.js';
import type { FetchContext, Fetcher, GetOrSetOptions } from '../cache.types.js';
import { entry } from '../dependencies.js';
import { MemoryCacheStore } from '../store/memory/memory-cache-store.js';
import { ValueCodec } from '../protocol/value-codec.js';
import { resolveGetOrSetOptions } from './get-or-set-options.js';
import { ReadThrough } from './read-through.js';
import { Waiter } from './waiters/waiter.js';

/** While `isForgetful`, refuses to renew any lease, like a store that has lost its leases. */
class ForgetfulStore extends MemoryCacheStore {
  renewals = 0;
  isForgetful = true;

  override async renew(key: string, leaseId: string, leaseMs: number): Promise<boolean> {
    this.renewals++;
    return this.isForgetful ? false : super.renew(key, leaseId, leaseMs);
  }
}

describe('[invariant 12] the bound of a fetch that never ends', () => {
  let store: ForgetfulStore;
  let readThrough: ReadThrough;
  let signals: AbortSignal[];

  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['nextTick'] });
    store = new ForgetfulStore({ maxBytes: 1e6 });
    readThrough = new ReadThrough(store, new ValueCodec(undefined), 8);
    signals = [];
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  const hanging = ({ signal }: FetchContext) => (signals.push(signal), new Promise<never>(() => undefined));
  const ask = (fetcher: Fetcher<unknown>, options: GetOrSetOptions<unknown> = {}) => {
    const defaults = { waitMs: 1000, leaseMs: 10_000, safetyTtlSeconds: undefined };
    const waiter = new Waiter('d:k', fetcher, resolveGetOrSetOptions(options, defaults));
    readThrough.enter(waiter);
    return waiter.answer.catch((error: CacheError) => error.code);
  };
  const pass = (ms: number) => jest.advanceTimersByTimeAsync(ms);

  it.each([
    ['is kept', false],
    ['was lost', true],
  ])('frees the key after five minutes if the lease %s', async (_name, isForgetful) => {
    store.isForgetful = isForgetful;
    void ask(hanging);
    await pass(299_000);
    expect(store.renewals > 1).toBe(!isForgetful); // a lost lease is not renewed again
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
    await pass(1000);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    await pass(20_000); // longer than the lease can last after its last renewal
    const next = ask(() => Promise.resolve('next'));
    await pass(0);
    expect(await next).toBe('next');
    expect(jest.getTimerCount()).toBe(0);
  });

  it('holds for a fetch whose value nobody will store', async () => {
    void ask(hanging);
    await pass(0);
    await readThrough.acknowledged('invalidate', [entry('d:k')], () => store.invalidate([entry('d:k')]));
    await pass(300_000);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    expect(jest.getTimerCount()).toBe(0);
  });

  it.each<[string, () => Promise<unknown>, unknown]>([
    ['brings something', () => Promise.resolve(1), 1],
    ['fails', () => Promise.reject(Object.assign(new Error('no'), { code: 'NO' })), 'NO'],
    ['takes longer than it may', () => new Promise<never>(() => undefined), 'CACHE_FETCH_TIMEOUT'],
  ])('leaves no timer behind when the fetch %s', async (_name, fetcher, told) => {
    const answer = ask(fetcher, { fetchTimeoutMs: 50 });
    await pass(50);
    expect(await answer).toBe(told);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('leaves no timer behind when the cache closes', async () => {
    void ask(hanging);
    await pass(0);
    readThrough.close();
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    expect(jest.getTimerCount()).toBe(0);
  });
});
