import { entry, membership, namespace, record, wholeTable, type Dependency } from '@bff/infra/cache/dependencies';
import type { CacheStore } from '@bff/infra/cache/protocol/cache-store';
import { expect } from '../expect.js';
import { begin, put, startBuild, text, value, type StoreFactory } from '../store-under-test.js';
import type { TestRunner } from '../test-runner.js';

/**
 * The stale-fill race: what was fetched before an invalidation of something that it depends on is never stored after
 * that invalidation [P25] [P26] [E16].
 */
export function describeRaces({ describe, it }: TestRunner, create: StoreFactory): void {
  describe('the stale-fill race', () => {
    const key = 'orders:account:1';
    const cases: readonly { by: string; invalidated: Dependency; dependsOn: readonly Dependency[] }[] = [
      { by: 'key', invalidated: entry(key), dependsOn: [] },
      { by: 'record', invalidated: record('Order', '1'), dependsOn: [record('Order', '2'), record('Order', '1')] },
      { by: 'membership', invalidated: membership('Order'), dependsOn: [membership('Order')] },
      { by: 'whole table, through a record', invalidated: wholeTable('Order'), dependsOn: [record('Order', '9')] },
      { by: 'whole table, through membership', invalidated: wholeTable('Order'), dependsOn: [membership('Order')] },
      { by: 'namespace', invalidated: namespace('orders'), dependsOn: [] },
    ];

    for (const race of cases) {
      it(`[P25] is not won by ${race.by}: neither on a cold key nor over an entry`, async () => {
        const { store, other } = await create();
        const cold = await startBuild(store, key);
        await other.invalidate([race.invalidated]);
        expect(await cold.commit('old', race.dependsOn)).toBe('stale');
        expect(await text(store, key)).toBeUndefined();
        await put(store, key, 'new', race.dependsOn);
        expect(await text(store, key)).toBe('new');
        expect(await other.invalidate([race.invalidated])).toEqual({ dropped: 1, keys: [key], deferred: 0 });
        expect(await text(store, key)).toBeUndefined();
        expect(await text(other, key)).toBeUndefined();
      });
    }

    it('[invariant 2] is not won by a dependency that nobody depended on before and that is learned after the fetch', async () => {
      const { store, other } = await create();
      const build = await startBuild(store, key);
      const nobodys = await other.invalidate([record('OrderItem', 'learned-later')]);
      expect(nobodys).toEqual({ dropped: 0, keys: [], deferred: 0 });
      expect(await build.commit('old', [record('Order', '1'), record('OrderItem', 'learned-later')])).toBe('stale');
    });

    it('is not won by an invalidation that lies many others back', async () => {
      const { store } = await create();
      const build = await startBuild(store, key);
      await store.invalidate([record('Order', '1')]);
      for (let i = 0; i < 50; i += 1) await store.invalidate([record('Product2', String(i))]);
      expect(await build.commit('old', [record('Order', '1')])).toBe('stale');
    });

    it('lets a fill through that began after the invalidation, and one with other dependencies', async () => {
      const { store } = await create();
      const unrelated = await startBuild(store, 'catalog:static:x');
      await store.invalidate([record('Order', '1'), namespace('orders'), entry(key)]);
      expect(await unrelated.commit('kept', [record('Product2', '1')])).toBe('ok');
      await put(store, key, 'new', [record('Order', '1')]);
      expect(await text(store, key)).toBe('new');
      expect(await text(store, 'catalog:static:x')).toBe('kept');
    });

    it('does not take one table, record or namespace for another', async () => {
      const { store } = await create();
      await put(store, key, 'v', [record('Order', '1'), membership('Order')]);
      const others = [
        record('Order', '10'),
        record('OrderItem', '1'),
        membership('OrderItem'),
        wholeTable('OrderItem'),
      ];
      const near = [namespace('order'), namespace('orders:account'), entry('orders:account:11'), entry('orders')];
      expect((await store.invalidate([...others, ...near])).dropped).toBe(0);
      expect(await text(store, key)).toBe('v');
    });

    it('is not won by chance: no read returns what was invalidated before it began', async () => {
      const { store, other } = await create();
      const source = new Source();
      const changes = [other, store].map((s) => changeAndInvalidate(s, source, 80));
      const isDone = Promise.all(changes).then(() => (source.isQuiet = true));
      const readers = [store, other, store, other].map((s) => readAndBuild(s, source));
      await Promise.all([isDone, ...readers]).finally(() => (source.isQuiet = true)); // an error ends all loops
      expect(source.violations).toEqual([]);
      expect(source.hits).toBeGreaterThan(20);
      expect(source.refusals).toBeGreaterThan(20);
    }, 30_000);
  });
}

/** A source of two records. A fetch reads B and depends on it only if the version of A is odd, which it learns late. */
class Source {
  readonly version = { A: 0, B: 0 };
  readonly acknowledged = { A: 0, B: 0 };
  readonly violations: string[] = [];
  isQuiet = false;
  reads = 0;
  hits = 0;
  refusals = 0;

  async fetch(): Promise<{ seen: string; dependencies: Dependency[] }> {
    const a = this.version.A;
    await turns(3);
    if (a % 2 === 0) return { seen: JSON.stringify({ A: a }), dependencies: [record('Raced', 'A')] };
    const b = this.version.B;
    await turns(3);
    return { seen: JSON.stringify({ A: a, B: b }), dependencies: [record('Raced', 'A'), record('Raced', 'B')] };
  }

  /** Compares the result of a read with the versions acknowledged when it began. */
  check(seen: string, before: { A: number; B: number }): void {
    this.hits += 1;
    const versions = JSON.parse(seen) as { A: number; B?: number };
    const isStale = versions.A < before.A || (versions.B !== undefined && versions.B < before.B);
    if (isStale) this.violations.push(`${seen} although ${JSON.stringify(before)} was acknowledged`);
  }
}

async function readAndBuild(store: CacheStore, source: Source): Promise<void> {
  while (!source.isQuiet) {
    await turns(1);
    const before = { ...source.acknowledged };
    const stored = await text(store, 'raced');
    source.reads += 1;
    if (stored !== undefined) source.check(stored, before);
    const beforeBegin = { ...source.acknowledged };
    const { reply, leaseId } = await begin(store, 'raced', { leaseMs: 5 }); // a lease so short that builds overlap
    if (reply.kind === 'fresh') source.check(reply.value.bytes.toString(), beforeBegin);
    if (reply.kind !== 'lease') continue;
    const { seen, dependencies } = await source.fetch();
    const request = { key: 'raced', leaseId, start: reply.start, value: value(seen), dependencies, ttlMs: undefined };
    if ((await store.commit(request)) === 'stale') source.refusals += 1;
  }
}

async function changeAndInvalidate(store: CacheStore, source: Source, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    const name = round % 3 === 0 ? 'B' : 'A';
    const version = (source.version[name] += 1);
    await store.invalidate([record('Raced', name)]);
    source.acknowledged[name] = Math.max(source.acknowledged[name], version);
    // Pauses are counted in reads, not in time, so that a slow machine reads as often.
    const pauseUntil = source.reads + (round % 4 === 0 ? 40 : (round * 5) % 9);
    while (source.reads < pauseUntil && !source.isQuiet) await turns(1);
  }
}

/** Yields for a few turns of the event loop. */
async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) await new Promise((resolve) => setImmediate(resolve));
}
