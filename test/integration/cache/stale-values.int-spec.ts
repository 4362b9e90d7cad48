import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { CacheService } from '@bff/infra/cache/cache.service';
import type { BackgroundEvent, ReadOutcome } from '@bff/infra/cache/cache.types';
import { record } from '@bff/infra/cache/dependencies';
import { DomainCache } from '@bff/infra/cache/domain-cache';
import { changeDriven } from '@bff/infra/cache/strategies';
import { memoryFixture, redisFixture, type CacheFixture } from '../../support/cache/cache-under-test.js';
import { CountingSource } from '../../support/counting-source.js';
import { elapse, eventually } from '../../support/eventually.js';

const THING = record('Thing', '1');
const STALE = { isStale: true, staleForMs: expect.any(Number) };

class ThingsCache extends DomainCache {
  readonly revalidated = this.bucket<string>('revalidated', {
    strategy: changeDriven(),
    stale: { whileRevalidateSeconds: 600 },
  });
  readonly backedUp = this.bucket<string | null>('backedUp', {
    strategy: changeDriven(),
    stale: { ifErrorSeconds: 600 },
    softTimeoutMs: 500,
  });
  readonly strict = this.bucket<string>('strict', { strategy: changeDriven() });
  constructor(cache: CacheService) {
    super('things', cache);
  }
}

describe.each<CacheFixture>([memoryFixture(), redisFixture(1), redisFixture(1, 'strict')])(
  'stale values, for those who allow them: $name',
  (fixture) => {
    let cache: CacheService;
    let things: ThingsCache;
    let source: CountingSource<string>;
    beforeAll(() => fixture.setUp());
    afterAll(() => fixture.tearDown());
    beforeEach(() => {
      fixture.reset();
      cache = fixture.create();
      things = new ThingsCache(cache);
      source = new CountingSource('old', [THING]);
    });
    afterEach(() => fixture.closeAll());

    it('while revalidating: the old value at once and marked, one build in the background, then the new one', async () => {
      expect(await things.revalidated.getAllowingStale(['1'], source.fetch)).toEqual({ value: 'old', isStale: false });
      source.value = 'new';
      await cache.invalidate(THING);
      source.hold();
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => things.revalidated.getAllowingStale(['1'], source.fetch)),
      );
      expect(answers).toEqual(Array(20).fill({ value: 'old', ...STALE }));
      await source.hasBegun(2);
      expect(await things.revalidated.getAllowingStale(['1'], source.fetch)).toEqual({ value: 'old', ...STALE });
      source.letGo();
      await eventually(async () => {
        const answer = await things.revalidated.getAllowingStale(['1'], source.fetch);
        return !answer.isStale && answer.value === 'new';
      });
      expect(source.fetches).toBe(2);
      const { buckets } = await things.metrics();
      expect(buckets.revalidated).toMatchObject({ misses: 1, refreshes: 1, errors: 0, backgroundFailures: 0 });
      expect(buckets.revalidated?.stale).toBeGreaterThanOrEqual(21);
    });

    it('a read that did not ask for stale never gets it', async () => {
      await things.revalidated.get(['1'], source.fetch);
      source.value = 'new';
      await cache.invalidate(THING);
      expect(await cache.get('things:revalidated:1')).toBeUndefined();
      expect(await cache.status('things:revalidated:1')).toBe('empty');
      source.hold();
      const stale = await things.revalidated.getAllowingStale(['1'], source.fetch);
      expect(stale.isStale).toBe(true);
      await source.hasBegun(2);
      const strict = things.revalidated.get(['1'], source.fetch); // joins the build in the background
      source.letGo();
      expect(await strict).toBe('new');
      expect(source.fetches).toBe(2);
    });

    it('a bucket without windows keeps no copy, and fails with its source', async () => {
      await things.strict.get(['1'], source.fetch);
      await cache.invalidate(THING);
      const down = () => Promise.reject(new Error('the source is down'));
      await expect(things.strict.getAllowingStale(['1'], down)).rejects.toThrow('the source is down');
      expect(await things.strict.getAllowingStale(['1'], source.fetch)).toEqual({ value: 'old', isStale: false });
    });

    it('on an error: only then, and again the fresh value when the source is back', async () => {
      await things.backedUp.get(['1'], source.fetch);
      await cache.invalidate(THING);
      const down = () => Promise.reject(new Error('the source is down'));
      expect(await things.backedUp.getAllowingStale(['1'], down)).toEqual({ value: 'old', ...STALE });
      await expect(things.backedUp.get(['1'], down)).rejects.toThrow('the source is down');
      source.value = 'new';
      expect(await things.backedUp.getAllowingStale(['1'], source.fetch)).toEqual({ value: 'new', isStale: false });
      expect((await things.metrics()).buckets.backedUp).toMatchObject({ stale: 1, misses: 2, errors: 1 });
    });

    it('on an error without a copy, the error', async () => {
      const down = () => Promise.reject(new Error('the source is down'));
      await expect(things.backedUp.getAllowingStale(['1'], down)).rejects.toThrow('the source is down');
      await things.backedUp.get(['1'], source.fetch);
      await cache.del('things:backedUp:1');
      await expect(things.backedUp.getAllowingStale(['1'], down)).rejects.toThrow('the source is down');
    });

    it('a mistake of ours is not covered up', async () => {
      await things.backedUp.get(['1'], source.fetch);
      await cache.invalidate(THING);
      const cyclic: unknown[] = [];
      cyclic.push(cyclic);
      await expect(things.backedUp.getAllowingStale(['1'], async () => cyclic as never)).rejects.toMatchObject({
        code: 'CACHE_VALUE_NOT_SERIALIZABLE',
      });
    });

    it('a copy that is older than the window is not handed out', async () => {
      const brief = { stale: { whileRevalidateSeconds: 0.1, ifErrorSeconds: 2.5 } };
      let attempts = 0;
      const down = async () => {
        attempts++;
        throw new Error('the source is down');
      };
      await cache.getOrSet('d:k', source.fetch, brief);
      await cache.invalidate(THING);
      await elapse(120);
      expect(await cache.getOrSetAllowingStale('d:k', down, brief)).toEqual({ value: 'old', ...STALE });
      expect(attempts).toBe(1); // too old for the answer at once: the source was asked first
      await eventually(async () => {
        const outcome = await cache.getOrSetAllowingStale('d:k', down, brief).catch(() => 'the error');
        return outcome === 'the error';
      });
    });

    it('after the soft timeout: the stale value, while the fetch goes on and fills the cache', async () => {
      await things.backedUp.get(['1'], source.fetch);
      await cache.invalidate(THING);
      source.value = 'new';
      source.hold();
      expect(await things.backedUp.getAllowingStale(['1'], source.fetch)).toEqual({ value: 'old', ...STALE });
      source.letGo();
      await eventually(async () => (await cache.get('things:backedUp:1')) === 'new');
      expect(source.fetches).toBe(2);
      expect((await things.metrics()).buckets.backedUp).toMatchObject({
        misses: 1,
        stale: 1,
        refreshes: 1,
        errors: 0,
      });
    });

    it('after the soft timeout without a copy the caller waits like others', async () => {
      source.hold();
      const answer = things.backedUp.getAllowingStale(['1'], source.fetch);
      await source.hasBegun(1);
      await elapse(600);
      source.letGo();
      expect(await answer).toEqual({ value: 'old', isStale: false });
    });

    it('the listener hears what fails in the background, and the key rests', async () => {
      const events: [BackgroundEvent, unknown][] = [];
      const outcomes: ReadOutcome[] = [];
      const options = {
        stale: { whileRevalidateSeconds: 600 },
        onBackground: (event: BackgroundEvent, error: unknown) => void events.push([event, error]),
        onOutcome: (outcome: ReadOutcome) => void outcomes.push(outcome),
      };
      await cache.getOrSet('d:k', source.fetch, options);
      await cache.invalidate(THING);
      let attempts = 0;
      const down = async () => {
        attempts++;
        throw new Error('the source is down');
      };
      expect(await cache.getOrSetAllowingStale('d:k', down, options)).toEqual({ value: 'old', ...STALE });
      await eventually(() => events.length === 1);
      expect(events[0]).toEqual(['failed', expect.objectContaining({ message: 'the source is down' })]);
      for (let i = 0; i < 10; i++) await cache.getOrSetAllowingStale('d:k', down, options);
      expect(attempts).toBe(1);
      expect(outcomes).toEqual(['miss', ...Array<ReadOutcome>(11).fill('stale')]);
      await eventually(
        async () => {
          await cache.getOrSetAllowingStale('d:k', source.fetch, options);
          return events.length === 2;
        },
        { what: 'it is tried again after its rest' },
      );
      expect(events[1]).toEqual(['refreshed', undefined]);
    });

    it('a fetch in the background is bounded like any other, and its key is free then', async () => {
      const errors: unknown[] = [];
      const options = {
        stale: { whileRevalidateSeconds: 600 },
        fetchTimeoutMs: 60,
        onBackground: (_event: BackgroundEvent, error: unknown) => void errors.push(error),
      };
      await cache.getOrSet('d:k', source.fetch, options);
      await cache.invalidate(THING);
      const hanging = () => new Promise<never>(() => undefined);
      expect(await cache.getOrSetAllowingStale('d:k', hanging, options)).toEqual({ value: 'old', ...STALE });
      await eventually(() => errors.length === 1);
      expect(errors[0]).toMatchObject({ code: 'CACHE_FETCH_TIMEOUT' });
      expect(await cache.getOrSet('d:k', async () => 'new', options)).toBe('new');
    });

    it('null may be stale', async () => {
      await things.backedUp.get(['none'], async ({ dependsOn }) => (dependsOn(THING), null));
      await cache.invalidate(THING);
      const down = () => Promise.reject(new Error('the source is down'));
      expect(await things.backedUp.getAllowingStale(['none'], down)).toEqual({ value: null, ...STALE });
    });

    if (!fixture.isShared) return;

    it('one build over all processes while each of them answers with the stale value', async () => {
      const others = [cache, fixture.create(), fixture.create()];
      await Promise.all(others.map((c) => c.open()));
      const options = { stale: { whileRevalidateSeconds: 600 } };
      await cache.getOrSet('d:k', source.fetch, options);
      await cache.invalidate(THING);
      source.value = 'new';
      source.hold();
      const answers = await Promise.all(others.map((c) => c.getOrSetAllowingStale('d:k', source.fetch, options)));
      expect(answers.map(({ isStale }) => isStale)).toEqual([true, true, true]);
      await source.hasBegun(2);
      await elapse(100);
      source.letGo();
      await eventually(async () => (await others[2]?.get('d:k')) === 'new');
      expect(source.fetches).toBe(2);
    });

    it('without the store there is no copy: the source answers, or its error', async () => {
      const away = fixture.create({ redisUrl: 'redis://127.0.0.1:1' });
      const options = { stale: { whileRevalidateSeconds: 600, ifErrorSeconds: 600 }, softTimeoutMs: 20 };
      const slow = async () => (await elapse(60), 'the source');
      expect(await away.getOrSetAllowingStale('d:k', slow, options)).toEqual({ value: 'the source', isStale: false });
      const down = () => Promise.reject(new Error('the source is down'));
      await expect(away.getOrSetAllowingStale('d:k', down, options)).rejects.toThrow('the source is down');
    });
  },
);
