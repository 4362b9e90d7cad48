import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { NotAcknowledgedError } from '@bff/infra/cache/cache.errors';
import type { CacheService } from '@bff/infra/cache/cache.service';
import { record } from '@bff/infra/cache/dependencies';
import { DomainCache } from '@bff/infra/cache/domain-cache';
import { changeDriven } from '@bff/infra/cache/strategies';
import { memoryFixture, redisFixture, type CacheFixture } from '../../support/cache/cache-under-test.js';
import { CountingSource } from '../../support/counting-source.js';
import { eventually } from '../../support/eventually.js';

class ThingsCache extends DomainCache {
  readonly kept = this.bucket<string>('kept', { strategy: changeDriven() });
  constructor(cache: CacheService) {
    super('things', cache, { repeatAfterMs: [250, 600] });
  }
  change(repeatAfterMs?: number[]) {
    const thing = record('Thing', '1');
    return repeatAfterMs ? this.invalidateAndRepeat(repeatAfterMs, thing) : this.invalidate(thing);
  }
}

describe.each<CacheFixture>([memoryFixture(), redisFixture(1)])(
  'invalidating once more, for a source that lags behind its own events: $name',
  (fixture) => {
    let cache: CacheService;
    let things: ThingsCache;
    const source = new CountingSource('old', [record('Thing', '1')]);
    const read = () => things.kept.get(['1'], source.fetch);
    beforeAll(() => fixture.setUp());
    afterAll(() => fixture.tearDown());
    beforeEach(() => {
      fixture.reset();
      cache = fixture.create();
      things = new ThingsCache(cache);
      source.value = 'old';
    });
    afterEach(() => fixture.closeAll());

    it('what was fetched too early falls with the repeat', async () => {
      await read();
      await things.change();
      expect(await read()).toBe('old'); // the event has come, but the source still answers as before
      source.value = 'new';
      await eventually(async () => (await read()) === 'new');
      await eventually(async () => (await things.metrics()).repeatedInvalidations === 2);
      expect(await things.metrics()).toMatchObject({ invalidations: 1, repeatedInvalidations: 2, lostRepeats: 0 });
    });

    it('[A3] what was not acknowledged is repeated all the same, although nobody tries it again', async () => {
      await read();
      const real = cache.invalidate.bind(cache);
      let refusals = 1;
      cache.invalidate = (...given) =>
        refusals-- > 0 ? Promise.reject(new NotAcknowledgedError('invalidate')) : real(...given);
      await expect(things.change()).rejects.toMatchObject({ code: 'CACHE_NOT_ACKNOWLEDGED' });
      source.value = 'new';
      await eventually(async () => (await read()) === 'new');
      await eventually(async () => (await things.metrics()).repeatedInvalidations === 2);
      expect(await things.metrics()).toMatchObject({ invalidations: 1, lostRepeats: 0 });
    });

    it('an invalidation may say for itself, also that it wants none', async () => {
      await things.change([]);
      await things.change([100]);
      await eventually(async () => (await things.metrics()).repeatedInvalidations === 1);
      await expect(things.change([1])).rejects.toMatchObject({ code: 'CACHE_INVALID_OPTION' });
    });
  },
);
