import { setMaxListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { CacheError } from '../../cache.errors.js';
import type { Callers, FetchContext } from '../../cache.types.js';
import { Bypass } from './bypass.js';
import { resolveGetOrSetOptions } from '../get-or-set-options.js';
import { Waiter } from '../waiters/waiter.js';

const CONCURRENCY = 10;
/** Maximum concurrent fetches of one key. */
const RUNNING_PER_KEY_MAX = 8;
const FIVE_MINUTES = 300_000;

describe('Bypass', () => {
  let closing: AbortController;
  let bypass: Bypass;
  let caller: string | undefined;
  /** The fetches begun so far, in order. */
  let fetches: { readonly key: string; readonly signal: AbortSignal; readonly end: (value: unknown) => void }[];

  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['nextTick'] });
    closing = new AbortController();
    setMaxListeners(0, closing.signal); // as `ReadThrough` does
    caller = undefined;
    bypass = new Bypass(CONCURRENCY, closing.signal);
    fetches = [];
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  const pass = (ms: number) => jest.advanceTimersByTimeAsync(ms);
  /** A caller whose fetch hangs until the test ends it, and the answer that it has received so far. */
  const ask = (key: string, waitMs = 600_000) => {
    const fetcher = ({ signal }: FetchContext) =>
      new Promise<unknown>((end) => void fetches.push({ key, signal, end }));
    const callers: Callers = {
      current: () => caller,
      run: (_, work) => work(),
      groupOf: (whom) => whom as string | undefined,
    };
    const defaults = { waitMs, leaseMs: 10_000, safetyTtlSeconds: undefined, callers };
    const waiter = new Waiter(key, fetcher, resolveGetOrSetOptions({}, defaults));
    const answer: { told: unknown } = { told: undefined };
    waiter.answer.then(
      (value) => (answer.told = value),
      (error: CacheError) => (answer.told = error.code),
    );
    bypass.enter(waiter);
    return answer;
  };
  const askOneByOne = async (count: number, key: string, waitMs?: number) => {
    const callers = [];
    for (let i = 0; i < count; i++) {
      callers.push(ask(key, waitMs));
      await pass(50);
    }
    return callers;
  };
  const fillUp = async () => {
    for (let i = 0; i < CONCURRENCY; i++) ask(`d:${i}`);
    await pass(0);
    expect(fetches).toHaveLength(CONCURRENCY);
  };

  describe('[C2] gives places to callers in turn', () => {
    const askAs = async (who: string, count: number) => {
      caller = who;
      const callers = Array.from({ length: count }, (_, i) => ask(`${who}:${i}`));
      await pass(0);
      return callers;
    };

    it('so that one does not wait for the many fetches of another', async () => {
      await askAs('greedy', 100);
      expect(fetches).toHaveLength(CONCURRENCY);
      await askAs('modest', 1);
      fetches[0]?.end('');
      await pass(0);
      expect(fetches.at(-1)?.key).toBe('modest:0');
    });

    it('and refuses the fetches of one beyond a hundred that wait', async () => {
      const greedy = await askAs('greedy', CONCURRENCY + 101);
      expect(greedy.at(-1)?.told).toBe('CACHE_OVERLOADED');
      expect(greedy.at(-2)?.told).toBeUndefined();
      const [modest] = await askAs('modest', 1);
      expect(modest?.told).toBeUndefined();
    });

    it('and not the one who shares a fetch that is refused to another', async () => {
      await askAs('greedy', CONCURRENCY + 100);
      const greedy = ask('shared');
      caller = 'modest';
      const modest = ask('shared'); // gathers for the same fetch, in the turn of the greedy one
      await pass(0);
      expect([greedy.told, modest.told]).toEqual(['CACHE_OVERLOADED', undefined]);
      await pass(1); // it has begun to wait for a place of its own
      fetches[0]?.end('');
      await pass(0);
      expect(fetches.at(-1)?.key).toBe('shared');
      fetches.at(-1)?.end('value');
      await pass(0);
      expect(modest.told).toBe('value');
    });
  });

  describe('bounds by waitMs the wait of a caller without a fetch of its own', () => {
    it('while fetches of the key hang', async () => {
      const hanging = await askOneByOne(RUNNING_PER_KEY_MAX, 'd:k', 100);
      const late = ask('d:k', 100);
      await pass(60);
      const later = ask('d:k', 100);
      await pass(41);
      expect([late.told, later.told]).toEqual(['CACHE_WAIT_TIMEOUT', undefined]);
      await pass(60);
      expect(later.told).toBe('CACHE_WAIT_TIMEOUT');
      expect(fetches).toHaveLength(RUNNING_PER_KEY_MAX);
      expect(hanging.map(({ told }) => told)).toEqual(Array(RUNNING_PER_KEY_MAX).fill(undefined)); // each is fetching
    });

    it('while the fetches of other keys take every place', async () => {
      await fillUp();
      const queued = ask('d:queued', 100);
      await pass(50);
      const joined = ask('d:queued', 100);
      await pass(51);
      expect([queued.told, joined.told]).toEqual(['CACHE_WAIT_TIMEOUT', undefined]);
      await pass(50);
      expect(joined.told).toBe('CACHE_WAIT_TIMEOUT');
      fetches[0]?.end('value');
      await pass(0);
      expect(fetches).toHaveLength(CONCURRENCY); // nobody is left to fetch for
      const next = ask('d:queued');
      await pass(0);
      fetches.at(-1)?.end('next');
      await pass(0);
      expect(next.told).toBe('next');
    });

    it('while a fetch that they share runs', async () => {
      const [own, shared] = [ask('d:k', 100), ask('d:k', 100)];
      await pass(101);
      expect([own.told, shared.told]).toEqual([undefined, 'CACHE_WAIT_TIMEOUT']);
    });

    it('and not its own fetch, begun at once or after a wait', async () => {
      const impatient = ask('d:k', 0);
      await pass(0);
      const patient = ask('d:k', 60);
      await pass(1000);
      expect(fetches).toHaveLength(2);
      for (const { end } of fetches) end('value');
      await pass(0);
      expect([impatient.told, patient.told]).toEqual(['value', 'value']);
      expect(jest.getTimerCount()).toBe(0);
    });
  });

  describe('tells a fetch after five minutes to stop, and gives its place away', () => {
    it('to the next of its key', async () => {
      const [first] = await askOneByOne(RUNNING_PER_KEY_MAX, 'd:k');
      const next = ask('d:k');
      await pass(FIVE_MINUTES - 1000);
      expect(fetches).toHaveLength(RUNNING_PER_KEY_MAX);
      await pass(1000);
      expect(fetches.map(({ signal }) => signal.aborted)).toEqual([
        ...Array<boolean>(RUNNING_PER_KEY_MAX).fill(true),
        false,
      ]);
      fetches[0]?.end('late');
      fetches.at(-1)?.end('value');
      await pass(0);
      expect([first?.told, next.told]).toEqual(['late', 'value']); // an aborted fetch still answers its caller
      expect(jest.getTimerCount()).toBe(0);
    });

    it('to another key', async () => {
      await fillUp();
      const queued = ask('d:queued');
      await pass(FIVE_MINUTES);
      fetches.at(-1)?.end('value');
      await pass(0);
      expect(queued.told).toBe('value');
      expect(jest.getTimerCount()).toBe(0);
    });
  });

  describe('when the cache closes', () => {
    it('refuses callers that have no fetch yet, and later ones, and starts none in the places that are left', async () => {
      await askOneByOne(RUNNING_PER_KEY_MAX, 'd:k');
      await askOneByOne(CONCURRENCY - RUNNING_PER_KEY_MAX, 'd:k2');
      const early = [ask('d:k'), ask('d:k2'), ask('d:queued')];
      await pass(100);
      const gathering = ask('d:gathering');
      closing.abort();
      const late = ask('d:k');
      await pass(0);
      expect([...early, gathering, late].map(({ told }) => told)).toEqual(Array(5).fill('CACHE_CLOSED'));
      expect(fetches).toHaveLength(CONCURRENCY);
      await pass(50);
      expect(jest.getTimerCount()).toBe(0);
    });

    it('tells a running fetch to stop, and still answers its callers', async () => {
      const caller = ask('d:k');
      await pass(0);
      closing.abort();
      expect(fetches[0]?.signal.aborted).toBe(true);
      await pass(0);
      expect(caller.told).toBeUndefined();
      fetches[0]?.end('value');
      await pass(0);
      expect(caller.told).toBe('value');
    });
  });
});
