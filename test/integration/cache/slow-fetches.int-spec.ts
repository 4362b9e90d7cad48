import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { CacheService } from '@bff/infra/cache/cache.service';
import type { GetOrSetOptions, MaybeStale } from '@bff/infra/cache/cache.types';
import { memoryFixture, redisFixture, type CacheFixture } from '../../support/cache/cache-under-test.js';
import { elapse, eventually } from '../../support/eventually.js';

const KEY = 'slow:1';
const TTL_SECONDS = 0.2;
const FETCH_MS = 400;
const KEPT_SECONDS = 60;

describe.each<CacheFixture>([memoryFixture(), redisFixture(1), redisFixture(1, 'strict')])(
  'a fetch that takes longer than its TTL: $name',
  (fixture) => {
    let cache: CacheService;
    let fetches: number;
    beforeAll(() => fixture.setUp());
    afterAll(() => fixture.tearDown());
    beforeEach(async () => {
      fixture.reset();
      fetches = 0;
      cache = fixture.create();
      await cache.open();
      await eventually(() => cache.state().status === 'up', { what: 'a store that is up' });
    });
    afterEach(() => fixture.closeAll());

    /** Versions 1, 2, 3, … in the order in which their fetches began. */
    const fetchIn = (ms: number) => async () => {
      const version = ++fetches;
      await elapse(ms);
      return version;
    };
    const read = (fetcher: () => Promise<number>, stale: GetOrSetOptions<number>['stale']) =>
      cache.getOrSetAllowingStale(KEY, fetcher, { ttlSeconds: TTL_SECONDS, ...(stale && { stale }) });

    it('[D2] becomes the copy that is answered while the next one is fetched', async () => {
      const answers: MaybeStale<number>[] = [];
      const next = async () => {
        const answer = await read(fetchIn(FETCH_MS), { whileRevalidateSeconds: KEPT_SECONDS });
        answers.push(answer);
        return answer.value;
      };
      expect(await next()).toBe(1);
      await eventually(async () => (await next()) >= 3, { withinMs: 20_000, what: 'the third version' });
      const values = answers.map(({ value }) => value);
      expect(values).toEqual([...values].sort((a, b) => a - b));
      expect(new Set(values)).toEqual(new Set([1, 2, 3]));
      expect(answers.slice(1).every(({ isStale }) => isStale)).toBe(true);
      expect(fetches).toBeLessThanOrEqual(4); // one for each version, not for each read
    });

    it('[D2] stands in for the next one if that fails, so that nobody is given an older value than one before', async () => {
      const stale = { ifErrorSeconds: KEPT_SECONDS };
      const down = () => Promise.reject(new Error('the source is down'));
      expect(await read(fetchIn(0), stale)).toMatchObject({ value: 1 });
      await elapse(TTL_SECONDS * 1000 + 50);
      for (const version of [2, 3]) {
        expect(await read(fetchIn(FETCH_MS), stale)).toEqual({ value: version, isStale: false });
        for (let i = 0; i < 3; i++) expect(await read(down, stale)).toMatchObject({ value: version, isStale: true });
      }
    });
  },
);
