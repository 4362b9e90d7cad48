import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { CacheService } from '@bff/infra/cache/cache.service';
import { anyRecord, record, wholeTable } from '@bff/infra/cache/dependencies';
import { DomainCache } from '@bff/infra/cache/domain-cache';
import { changeDriven } from '@bff/infra/cache/strategies';
import { memoryFixture, redisFixture, type CacheFixture } from '../../support/cache/cache-under-test.js';
import { CountingSource } from '../../support/counting-source.js';

/** 200 orders with 25 lines each: 5,200 records, while an entry can have 5,000 dependencies. */
const ORDERS = Array.from({ length: 200 }, (_, i) => record('Order', `${i}`));
const LINES = Array.from({ length: 5_000 }, (_, i) => record('OrderItem', `${i}`));

class ListsCache extends DomainCache {
  readonly lists = this.bucket<string>('list', { strategy: changeDriven() });
  constructor(cache: CacheService) {
    super('lists', cache);
  }
}

const fixtures = [memoryFixture(), redisFixture(1), redisFixture(3), redisFixture(1, 'strict')];

describe.each<CacheFixture>(fixtures)('[B9] an entry of very many records: $name', (fixture) => {
  let caches: CacheService[];
  let domains: ListsCache[];
  let source: CountingSource<string>;
  const read = (process = 0) => (domains[process] as ListsCache).lists.get(['1'], source.fetch);
  const last = () => caches.at(-1) as CacheService;

  beforeAll(() => fixture.setUp());
  afterAll(() => fixture.tearDown());
  beforeEach(() => {
    fixture.reset();
    caches = Array.from({ length: fixture.isShared ? 2 : 1 }, () => fixture.create());
    domains = caches.map((cache) => new ListsCache(cache));
    source = new CountingSource('old', [...ORDERS, ...LINES]);
  });
  afterEach(() => fixture.closeAll());

  it('is kept: one fetch for many reads in every process, and the counters say that it was folded', async () => {
    for (let i = 0; i < 20; i++) for (const process of domains.keys()) expect(await read(process)).toBe('old');
    expect(source.fetches).toBe(1);
    expect(domains[0]?.lists.metrics).toMatchObject({ misses: 1, folded: 1 });
  });

  it.each([
    ['one of the first lines', record('OrderItem', '0')],
    ['the last line', record('OrderItem', '4999')],
    ['an order', record('Order', '199')],
    ['the whole table', wholeTable('OrderItem')],
  ])('falls with %s, in every process, when that is acknowledged', async (_, changed) => {
    for (let round = 0; round < 5; round++) {
      await read(0);
      await read(domains.length - 1);
      source.value = `new ${round}`;
      const { dropped, deferred } = await last().invalidate(changed);
      expect(dropped + deferred).toBeGreaterThan(0);
      for (const process of domains.keys()) expect(await read(process)).toBe(`new ${round}`);
    }
  });

  it('is not kept when a line changed during its fetch', async () => {
    source.hold();
    const early = read();
    await source.hasBegun(1);
    source.value = 'new';
    await last().invalidate(record('OrderItem', '4999'));
    source.letGo();
    expect(await early).toBe('old');
    expect(await read()).toBe('new');
  });

  it('stays when records of other tables change', async () => {
    await read();
    await last().invalidate(record('Order', '200'), record('Product2', '1'), record('OrderItems', '1'));
    await read();
    expect(source.fetches).toBe(1);
  });

  it('falls likewise when it was written, or says itself that it depends on all records of a table', async () => {
    await last().set('lists:written', 'old', { dependsOn: [...ORDERS, ...LINES] });
    await last().set('lists:sum', 'old', { dependsOn: [anyRecord('OrderItem')] });
    await last().invalidate(record('OrderItem', '7'));
    const [first] = caches;
    expect([await first?.get('lists:written'), await first?.get('lists:sum')]).toEqual([undefined, undefined]);
  });
});
