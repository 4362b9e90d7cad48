import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { CacheService } from '@bff/infra/cache/cache.service';
import type { BackgroundEvent, Fetcher, GetOrSetOptions } from '@bff/infra/cache/cache.types';
import { membership, record } from '@bff/infra/cache/dependencies';
import { memoryFixture, redisFixture, type CacheFixture } from '../../support/cache/cache-under-test.js';
import { CountingSource } from '../../support/counting-source.js';
import { elapse, eventually } from '../../support/eventually.js';

const ROUNDS = 50;
const OTHER = record('Other', '1');
type Value = string | null | undefined;
type Options = GetOrSetOptions<Value>;

/** The options of the entry's first build and of the forced build, and the forced build's value. */
const KINDS: readonly { kind: string; before: Options; after: Options; made: Value }[] = [
  { kind: 'with a shorter TTL', before: { ttlSeconds: 3600 }, after: { ttlSeconds: 60 }, made: 'new' },
  {
    kind: 'that became null, with a TTL for that',
    before: { ttlSeconds: 3600, negativeTtlSeconds: 60 },
    after: { ttlSeconds: 3600, negativeTtlSeconds: 60 },
    made: null,
  },
  {
    kind: 'with a TTL that jitters, and a dependency',
    before: { ttlSeconds: 3600, ttlJitter: 0.5, dependsOn: [OTHER] },
    after: { ttlSeconds: 3600, ttlJitter: 0.5, dependsOn: [OTHER] },
    made: 'new',
  },
  { kind: 'without a TTL', before: {}, after: {}, made: 'new' },
];

describe.each<CacheFixture & { hasL1?: boolean }>([
  memoryFixture(),
  redisFixture(1, 'off'),
  { ...redisFixture(1, 'strict'), hasL1: true },
])('after a build that a caller has forced (maxAgeSeconds: 0): $name', (fixture) => {
  /** The first cache forces builds; the last one stands for another process, or is the same without a shared store. */
  let caches: CacheService[];
  let tests = 0;
  /** A key of this test. */
  let ownKey: string;
  beforeAll(async () => {
    await fixture.setUp();
    fixture.reset();
    caches = Array.from({ length: fixture.isShared ? 2 : 1 }, () => fixture.create());
    await Promise.all(caches.map((cache) => cache.open()));
    await eventually(() => caches.every((cache) => cache.state().status === 'up'), { what: 'stores that are up' });
    // With an L1 this waits until the new gates are a second old; before that, every forced build would wait.
    await Promise.all(caches.map((cache) => cache.invalidate(record('Nothing', '0'))));
  });
  afterAll(async () => {
    await fixture.closeAll();
    await fixture.tearDown();
  });
  beforeEach(() => void (ownKey = `forced:own:${tests++}`));

  const forcing = () => caches[0] as CacheService;
  const another = () => caches.at(-1) as CacheService;
  const force = (key: string, fetcher: Fetcher<Value>, options: Options) =>
    forcing().getOrSet<Value>(key, fetcher, { ...options, maxAgeSeconds: 0 });
  const readAll = async (key: string) => {
    const values: Value[] = [];
    for (const cache of caches) values.push(await cache.getOrSet<Value>(key, async () => 'built once more'));
    return values;
  };

  async function everywhereOld(key: string, options: Options): Promise<void> {
    const read = (cache: CacheService) => cache.getOrSet<Value>(key, async () => 'old', options);
    for (const cache of caches) {
      expect(await read(cache)).toBe('old');
      // A hit in the L1 returns the promise that all its hits share.
      if (fixture.hasL1) await eventually(() => read(cache) === read(cache), { what: 'a hit in the process' });
    }
  }

  it.each(KINDS)('[D1] [invariant 19] no read in any process returns the value of before: $kind', async (kind) => {
    const keys = Array.from({ length: ROUNDS }, (_, i) => `forced:${tests}:${i}`);
    await Promise.all(keys.map((key) => everywhereOld(key, kind.before)));
    const seen: Value[] = [];
    for (const key of keys) {
      expect(await force(key, async () => kind.made, kind.after)).toBe(kind.made);
      seen.push(...(await readAll(key)));
    }
    for (const key of keys) seen.push(...(await readAll(key))); // no L1 has taken an old value back later
    expect(seen).toEqual(Array(2 * ROUNDS * caches.length).fill(kind.made));
  });

  it('[D1] nor when an entry was replaced before its end (refreshAhead)', async () => {
    const options: Options = { ttlSeconds: 4, refreshAhead: 0.1 };
    const events: BackgroundEvent[] = [];
    const hit = () =>
      forcing().getOrSet<Value>(ownKey, async () => 'new', {
        ...options,
        onBackground: (event) => events.push(event),
      });
    await everywhereOld(ownKey, options);
    await eventually(async () => (await hit(), events.includes('refreshed')), { what: 'a refresh' });
    for (let i = 0; i < 5; i++) expect(await readAll(ownKey)).toEqual(caches.map(() => 'new'));
  });

  /** Forces a build whose value is returned but not stored; fails if the value that it should replace comes back. */
  async function leavesNothing(fetcher: Fetcher<Value>, options: Options, answer: Value): Promise<void> {
    await everywhereOld(ownKey, {});
    expect(await force(ownKey, fetcher, options)).toBe(answer);
    expect(await readAll(ownKey)).toEqual(caches.map(() => 'built once more'));
  }

  it('[D1] which is refused, as something was invalidated that only the new value depends on: nothing older stays', () =>
    leavesNothing(
      async () => {
        await another().invalidate(OTHER);
        return 'new';
      },
      { dependsOn: (value) => (value === 'new' ? [OTHER] : []) },
      'new',
    ));

  it('[D1] which knew during its fetch that it would be refused: nothing older stays', () =>
    leavesNothing(
      async ({ dependsOn }) => {
        dependsOn(OTHER);
        await another().invalidate(OTHER);
        return 'new';
      },
      {},
      'new',
    ));

  it('[D1] of which the fetch took longer than its TTL: nothing older stays', () =>
    leavesNothing(
      async () => {
        await elapse(120);
        return 'new';
      },
      { ttlSeconds: 0.1 },
      'new',
    ));

  it.each<[string, Value, Options]>([
    ['undefined', undefined, {}],
    ['null, where that is not stored', null, { cacheNull: false }],
    ['a value whose TTL is none', 'new', { ttlSeconds: () => 0 }],
    [
      'a value that depends on too much',
      'new',
      { dependsOn: Array.from({ length: 5_001 }, (_, i) => membership(`Table${i}`)) },
    ],
  ])('[D1] that made what is not stored, %s: nothing older stays', async (_, made, options) => {
    await leavesNothing(async () => made, options, made);
  });

  if (!fixture.isShared) return;

  it('[D1] of which another process has taken the lease over: nothing older stays', async () => {
    await everywhereOld(ownKey, {});
    const [overtaken, successor] = [new CountingSource<Value>('new'), new CountingSource<Value>('newest')];
    overtaken.hold();
    successor.hold();
    const first = force(ownKey, overtaken.fetch, { leaseMs: 100, renewLease: false });
    await overtaken.hasBegun(1);
    const second = another().getOrSet<Value>(ownKey, successor.fetch, { maxAgeSeconds: 0 });
    await successor.hasBegun(1);
    overtaken.letGo();
    expect(await first).toBe('new');
    const reads = readAll(ownKey);
    successor.letGo();
    expect(await second).toBe('newest');
    for (const value of await reads) expect(['newest', 'built once more']).toContain(value);
  });
});
