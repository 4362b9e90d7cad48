import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Bucket } from './bucket.js';
import { CacheService } from './cache.service.js';
import type { FetchContext, Fetcher } from './cache.types.js';
import { createCache } from './create-cache.js';
import { record, tag } from './dependencies.js';
import { DomainCache } from './domain-cache.js';
import { changeDriven, ttl } from './strategies.js';

class Things extends DomainCache {
  readonly loads: string[] = [];
  version = 1;
  readonly byOwner = this.bucket<string, [owner: string, id: string]>('owner', {
    strategy: changeDriven(),
    stale: { ifErrorSeconds: 60 },
    load: ([owner, id], context) => this.load(owner, id, context),
  });
  readonly plain: Bucket<string, [id: string]> = this.bucket('plain', { strategy: ttl(60) });

  constructor(cache: CacheService) {
    super('my things', cache);
  }

  another(name: string): void {
    this.bucket(name, { strategy: changeDriven() });
  }

  rehydrated(): void {
    this.bucket('hot', { strategy: changeDriven(), rehydrate: { recentSeconds: 60 } });
  }

  private load(owner: string, id: string, { dependsOn }: FetchContext): Promise<string> {
    this.loads.push(`${owner}/${id}`);
    dependsOn(record('Thing', id), tag('of everybody'));
    return Promise.resolve(`${owner}/${id} ${this.version}`);
  }
}

describe('a bucket', () => {
  let cache: CacheService;
  let things: Things;
  const given: Fetcher<string> = () => Promise.resolve('given');
  beforeEach(() => {
    cache = createCache();
    things = new Things(cache);
  });
  afterEach(() => cache.close());

  it('with load needs no fetcher, and keeps what load depends on', async () => {
    expect(await things.byOwner.get(['ann', '1'])).toBe('ann/1 1');
    expect(await things.byOwner.get(['ann', '1'])).toBe('ann/1 1');
    expect(things.loads).toEqual(['ann/1']);
    things.version = 2;
    await cache.invalidate(record('Thing', '1'));
    expect(await things.byOwner.getAllowingStale(['ann', '1'])).toEqual({ value: 'ann/1 2', isStale: false });
    expect(things.byOwner.metrics).toMatchObject({ hits: 1, misses: 2 });
  });

  it('uses the fetcher that a call gives, and takes the options of a call with and without one', async () => {
    expect(await things.byOwner.get(['ann', '1'], given)).toBe('given');
    expect(await things.byOwner.get(['ann', '1'], given, { maxAgeSeconds: 0 })).toBe('given');
    expect(await things.byOwner.get(['ann', '1'], { maxAgeSeconds: 0 })).toBe('ann/1 1');
    const outcomes: string[] = [];
    const call = { onOutcome: (outcome: string) => void outcomes.push(outcome) };
    expect(await things.byOwner.getAllowingStale(['ann', '1'], call)).toMatchObject({ value: 'ann/1 1' });
    expect(await things.byOwner.getAllowingStale(['bob', '1'], given, call)).toMatchObject({ value: 'given' });
    expect(outcomes).toEqual(['hit', 'miss']);
  });

  it('finds the parts of its keys, whatever characters they hold', () => {
    for (const parts of [
      ['ann', '1'],
      ['', ''],
      ['a:b', 'ü/%'],
      ['*', '..'],
    ] as [string, string][])
      expect(things.byOwner.partsOf(things.byOwner.key(parts))).toEqual(parts);
    expect(things.byOwner.partsOf('my%20things:owner')).toEqual([]);
    expect(things.byOwner.partsOf('my%20things:owner:of-an-earlier-version')).toEqual(['of-an-earlier-version']);
    for (const key of ['my%20things:owners:1', 'my%20things:plain:1', 'other:owner:1', 'my%20things:owner:%zz', ''])
      expect(things.byOwner.partsOf(key)).toBeUndefined();
  });

  it('falls by a tag, with all that has it, and by clear with its domain', async () => {
    const read = () => Promise.all([things.byOwner.get(['ann', '1']), things.plain.get(['1'], given)]);
    await read();
    expect(await cache.invalidate(tag('of everybody'))).toMatchObject({ dropped: 1 });
    await read();
    expect(await things.clear()).toMatchObject({ dropped: 2, deferred: 0 });
    await read();
    expect(things.loads).toHaveLength(3);
    expect((await things.metrics()).invalidations).toBe(1);
  });

  it('is refused for a name that is taken, and for rehydrate without load', () => {
    const refused = expect.objectContaining({ code: 'CACHE_INVALID_OPTION' });
    expect(() => things.another('plain')).toThrow(refused);
    expect(() => things.rehydrated()).toThrow(refused);
  });
});
