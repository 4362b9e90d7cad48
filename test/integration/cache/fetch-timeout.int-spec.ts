import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { FetchContext } from '@bff/infra/cache/cache.types';
import type { CacheService } from '@bff/infra/cache/cache.service';
import { memoryFixture, redisFixture, type CacheFixture } from '../../support/cache/cache-under-test.js';
import { CountingSource } from '../../support/counting-source.js';
import { deferred } from '../../support/deferred.js';

describe.each<CacheFixture>([memoryFixture(), redisFixture(1), redisFixture(1, 'strict')])(
  'a fetch that takes too long: $name',
  (fixture) => {
    let cache: CacheService;
    beforeAll(() => fixture.setUp());
    afterAll(() => fixture.tearDown());
    beforeEach(() => {
      fixture.reset();
      cache = fixture.create();
    });
    afterEach(() => fixture.closeAll());

    it('rejects all who wait, aborts its signal, frees the key, and what it brings late is not used', async () => {
      const late = deferred<string>();
      const signals: AbortSignal[] = [];
      const hanging = ({ signal }: FetchContext) => {
        signals.push(signal);
        return late.promise;
      };
      const calls = Array.from({ length: 5 }, () => cache.getOrSet('d:k', hanging, { fetchTimeoutMs: 60 }));
      for (const outcome of await Promise.allSettled(calls)) {
        expect(outcome).toMatchObject({
          status: 'rejected',
          reason: { code: 'CACHE_FETCH_TIMEOUT', retryable: true },
        });
      }
      expect(signals.map((signal) => signal.aborted)).toEqual([true]);
      expect(await cache.status('d:k')).toBe('empty');
      expect(await cache.getOrSet('d:k', async () => 'next')).toBe('next');
      late.resolve('late');
      expect(await cache.get('d:k')).toBe('next');
    });

    it('rejects with the timeout, not with what its fetcher makes of the signal', async () => {
      const obedient = ({ signal }: FetchContext) =>
        new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
      await expect(cache.getOrSet('d:k', obedient, { fetchTimeoutMs: 20 })).rejects.toMatchObject({
        code: 'CACHE_FETCH_TIMEOUT',
      });
    });

    it('leaves a fetch alone that is in time', async () => {
      let signal: AbortSignal | undefined;
      const fetcher = async (context: FetchContext) => ((signal = context.signal), 'in time');
      expect(await cache.getOrSet('d:k', fetcher, { fetchTimeoutMs: 5000 })).toBe('in time');
      expect(signal?.aborted).toBe(false);
      expect(await cache.get('d:k')).toBe('in time');
    });

    if (!fixture.isShared) return;

    it('tells waiters in other processes at once', async () => {
      const other = fixture.create();
      await other.open();
      const source = new CountingSource('late');
      source.hold();
      const builder = cache.getOrSet('d:k', source.fetch, { fetchTimeoutMs: 1000 });
      builder.catch(() => undefined);
      await source.hasBegun(1);
      await expect(other.getOrSet('d:k', async () => 'mine')).rejects.toMatchObject({
        code: 'CACHE_BUILD_FAILED',
        sourceCode: 'CACHE_FETCH_TIMEOUT',
      });
      await expect(builder).rejects.toMatchObject({ code: 'CACHE_FETCH_TIMEOUT' });
      source.letGo();
    });

    it('is bounded while the store is away, too', async () => {
      const away = fixture.create({ redisUrl: 'redis://127.0.0.1:1' });
      const signals: AbortSignal[] = [];
      const hanging = ({ signal }: FetchContext) => {
        signals.push(signal);
        return new Promise<never>(() => undefined);
      };
      await expect(away.getOrSet('d:k', hanging, { fetchTimeoutMs: 40 })).rejects.toMatchObject({
        code: 'CACHE_FETCH_TIMEOUT',
      });
      expect(signals.map((signal) => signal.aborted)).toEqual([true]);
      expect(await away.getOrSet('d:k', async () => 'the source answers', { fetchTimeoutMs: 5000 })).toBe(
        'the source answers',
      );
    });
  },
);
