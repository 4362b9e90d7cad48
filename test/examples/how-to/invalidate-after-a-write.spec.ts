import { NotAcknowledgedError } from '@bff/infra/cache/cache.errors';
import type { CacheService } from '@bff/infra/cache/cache.service';
import type { Fetcher, Invalidation } from '@bff/infra/cache/cache.types';
import { createCache } from '@bff/infra/cache/create-cache';
import { membership, record } from '@bff/infra/cache/dependencies';
import { DomainCache } from '@bff/infra/cache/domain-cache';
import { hybrid } from '@bff/infra/cache/strategies';
import { afterEach, describe, expect, it } from '@jest/globals';

interface Customer {
  readonly id: string;
  readonly city: string;
}

class CustomersCache extends DomainCache {
  private readonly byCity = this.bucket<Customer[]>('city', { strategy: hybrid(3600) });

  constructor(cache: CacheService) {
    super('customers', cache);
  }

  inCity(city: string, fetcher: Fetcher<Customer[]>): Promise<Customer[]> {
    return this.byCity.get([city], fetcher);
  }

  /** After a customer was created, changed or deleted. */
  changed(id: string): Promise<Invalidation> {
    return this.invalidate(record('Customer', id), membership('Customer'));
  }
}

class CustomerTable {
  rows: Customer[] = [{ id: 'c1', city: 'Riga' }];

  async inCity(city: string): Promise<Customer[]> {
    return this.rows.filter((row) => row.city === city);
  }

  async update(id: string, change: Partial<Customer>): Promise<void> {
    this.rows = this.rows.map((row) => (row.id === id ? { ...row, ...change } : row));
  }
}

class Customers {
  constructor(
    protected readonly cache: CustomersCache,
    protected readonly table: CustomerTable,
  ) {}

  inCity(city: string): Promise<Customer[]> {
    return this.cache.inCity(city, async ({ dependsOn }) => {
      dependsOn(membership('Customer'));
      const rows = await this.table.inCity(city);
      dependsOn(...rows.map((row) => record('Customer', row.id)));
      return rows;
    });
  }

  async moveTo(id: string, city: string): Promise<void> {
    await this.table.update(id, { city }); // committed: a read of the table shows it
    await this.cache.changed(id); // acknowledged: no later read, in any process, shows the old city
  }
}

class PatientCustomers extends Customers {
  readonly warnings: string[] = [];

  override async moveTo(id: string, city: string): Promise<void> {
    await this.table.update(id, { city });
    try {
      await this.cache.changed(id);
    } catch (error) {
      if (!(error instanceof NotAcknowledgedError)) throw error;
      this.warnings.push(`customer ${id} has moved, and the cache follows when Redis is back`);
    }
  }
}

describe('customers', () => {
  const cache = createCache();
  afterEach(() => cache.close());

  it('are never seen in the city that they have left', async () => {
    const customers = new Customers(new CustomersCache(cache), new CustomerTable());
    expect([await customers.inCity('Riga'), await customers.inCity('Oslo')]).toEqual([
      [{ id: 'c1', city: 'Riga' }],
      [],
    ]);
    await customers.moveTo('c1', 'Oslo');
    expect([await customers.inCity('Riga'), await customers.inCity('Oslo')]).toEqual([
      [],
      [{ id: 'c1', city: 'Oslo' }],
    ]);
  });

  it('have moved although no invalidation was acknowledged', async () => {
    const away = createCache();
    away.invalidate = () => Promise.reject(new NotAcknowledgedError('invalidate'));
    const table = new CustomerTable();
    const customers = new PatientCustomers(new CustomersCache(away), table);
    await customers.moveTo('c1', 'Oslo');
    expect(table.rows).toEqual([{ id: 'c1', city: 'Oslo' }]);
    expect(customers.warnings).toHaveLength(1);
    await expect(new Customers(new CustomersCache(away), table).moveTo('c1', 'Riga')).rejects.toMatchObject({
      code: 'CACHE_NOT_ACKNOWLEDGED',
    });
    await away.close();
  });
});
