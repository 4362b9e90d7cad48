import type { CacheService } from '@bff/infra/cache/cache.service';
import { createCache } from '@bff/infra/cache/create-cache';
import { record, wholeTable } from '@bff/infra/cache/dependencies';
import { DomainCache } from '@bff/infra/cache/domain-cache';
import { changeDriven } from '@bff/infra/cache/strategies';
import type { ConsumerTerm } from '@bff/infra/fleet/consumer-leases';
import { createFleet, type Fleet } from '@bff/infra/fleet/create-fleet';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../../support/eventually.js';

/** A source that numbers its changes and keeps them for a while: an outbox table, a stream, a queue with positions. */
interface ChangeLog {
  /** The position behind the newest change. */
  end(): Promise<number>;
  /** The changes behind a position, oldest first, at most `limit`; `lost` if some of them are not kept any more. */
  after(position: number, limit: number): Promise<{ id: string; position: number }[] | 'lost'>;
}

const FEED = 'Stock';
const LEASE_MS = 10_000;
const PAGE = 500;

class ChangeLogConsumer {
  private term: ConsumerTerm | undefined;

  constructor(
    private readonly log: ChangeLog,
    private readonly cache: CacheService,
    private readonly fleet: Pick<Fleet, 'leases' | 'checkpoints'>,
    private readonly holder: string,
  ) {}

  /** Applies what is new. Call it whenever the source says that there is something, and every second besides. */
  async step(): Promise<void> {
    const { leases } = this.fleet;
    this.term ??= await leases.acquire(FEED, this.holder, LEASE_MS);
    if (this.term === undefined) return; // another process consumes, and this one stands by
    try {
      const askedAt = performance.now();
      while (await this.applyPage(this.term)) await leases.renew(this.term, LEASE_MS, new Map());
      // All that was in the log at `askedAt` is applied: so far the feed is followed, and its entries are trusted.
      const ages = new Map([[FEED, performance.now() - askedAt]]);
      if (!(await leases.renew(this.term, LEASE_MS, ages))) this.term = undefined;
    } catch (error) {
      this.term = undefined; // the next step, here or elsewhere, begins at the saved position
      throw error;
    }
  }

  /** Whether there may be more. */
  private async applyPage(term: ConsumerTerm): Promise<boolean> {
    const { checkpoints } = this.fleet;
    const saved = await checkpoints.load(FEED);
    const end = await this.log.end(); // before anything is dropped: what comes later is read later
    const changes = saved === undefined ? 'lost' : await this.log.after(Number(saved), PAGE);
    if (changes === 'lost') await this.cache.invalidate(wholeTable(FEED));
    else if (changes.length > 0) await this.cache.invalidate(...changes.map(({ id }) => record(FEED, id)));
    // Acknowledged: only now may the position move. A process that dies before this line repeats the page.
    const position = changes === 'lost' ? end : changes.at(-1)?.position;
    if (position !== undefined) await checkpoints.save(FEED, String(position), term);
    return changes.length === PAGE;
  }
}

class StockCache extends DomainCache {
  private readonly bySku = this.bucket<number>('sku', { strategy: changeDriven({ toldBy: FEED }) });

  constructor(
    cache: CacheService,
    private readonly table: Map<string, number>,
  ) {
    super('stock', cache);
  }

  of(sku: string): Promise<number> {
    return this.bySku.get([sku], async ({ dependsOn }) => {
      dependsOn(record(FEED, sku));
      return this.table.get(sku) ?? 0;
    });
  }
}

/** A log in memory, of which the oldest changes can be lost. */
class MemoryLog implements ChangeLog {
  private readonly changes: { id: string; position: number }[] = [];
  private kept = 0;
  private next = 1;

  constructor(private readonly table: Map<string, number>) {}

  put(sku: string, count: number): void {
    this.table.set(sku, count);
    this.changes.push({ id: sku, position: this.next++ });
  }

  forgetAll(): void {
    this.kept = this.changes.length;
  }

  end(): Promise<number> {
    return Promise.resolve(this.next - 1);
  }

  after(position: number, limit: number): Promise<{ id: string; position: number }[] | 'lost'> {
    return Promise.resolve(position < this.kept ? 'lost' : this.changes.slice(position, position + limit));
  }
}

describe('a source of changes of one’s own', () => {
  let table: Map<string, number>;
  let log: MemoryLog;
  let fleet: Fleet;
  let cache: CacheService;
  let stock: StockCache;
  beforeEach(() => {
    table = new Map([['kettle', 3]]);
    log = new MemoryLog(table);
    fleet = createFleet();
    cache = createCache({ feedAges: fleet.leases, feedLostMaxAgeSeconds: 0.5 });
    stock = new StockCache(cache, table);
  });
  afterEach(() => cache.close());
  const consumer = (holder: string) => new ChangeLogConsumer(log, cache, fleet, holder);

  it('[N4] drops what changed, and only one process consumes', async () => {
    const [one, other] = [consumer('one'), consumer('other')];
    await one.step();
    await stock.of('kettle');
    log.put('kettle', 2);
    await other.step(); // stands by
    expect(await stock.of('kettle')).toBe(3);
    await one.step();
    expect(await stock.of('kettle')).toBe(2);
  });

  it('[N4] applies more changes than a page holds, in one step', async () => {
    const one = consumer('one');
    await one.step();
    await stock.of('kettle');
    for (let n = 0; n < 1_200; n++) log.put(`pan-${n}`, n);
    log.put('kettle', 1);
    await one.step();
    expect(await stock.of('kettle')).toBe(1);
  });

  it('[N4] repeats what was not acknowledged and saved before the consumer died', async () => {
    await consumer('one').step();
    await stock.of('kettle');
    log.put('kettle', 2);
    const { leases, checkpoints } = fleet;
    const isDying = Object.assign(Object.create(checkpoints) as typeof checkpoints, {
      save: () => Promise.reject(new Error('killed')),
    });
    const dying = new ChangeLogConsumer(log, cache, { leases, checkpoints: isDying }, 'one');
    await expect(dying.step()).rejects.toThrow('killed');
    log.put('kettle', 1);
    await consumer('one').step();
    expect(await stock.of('kettle')).toBe(1);
  });

  it('[N4] drops the table when changes were lost', async () => {
    const one = consumer('one');
    await one.step();
    await stock.of('kettle');
    log.put('kettle', 2);
    log.forgetAll();
    await one.step();
    expect(await stock.of('kettle')).toBe(2);
  });

  it('[N4] is not trusted for longer than the bound while nobody follows it', async () => {
    const one = consumer('one');
    await one.step();
    await stock.of('kettle');
    table.set('kettle', 9); // a change that nobody told
    expect(await stock.of('kettle')).toBe(3);
    const showsIt = async () => (await stock.of('kettle')) === 9;
    await eventually(showsIt, { withinMs: 10_000, what: 'the feed counts as lost' });
  });
});
