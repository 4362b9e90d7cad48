import type { CacheService } from '@bff/infra/cache/cache.service';
import type { Fetcher, KeyStatus } from '@bff/infra/cache/cache.types';
import { createCache } from '@bff/infra/cache/create-cache';
import { record } from '@bff/infra/cache/dependencies';
import { DomainCache } from '@bff/infra/cache/domain-cache';
import { changeDriven } from '@bff/infra/cache/strategies';
import { expect, it } from '@jest/globals';

class QuotesCache extends DomainCache {
  private readonly byAccount = this.bucket<string[]>('account', { strategy: changeDriven() });

  constructor(cache: CacheService) {
    super('quotes', cache);
  }

  ofAccount(account: string, fetcher: Fetcher<string[]>, log: (line: string) => void): Promise<string[]> {
    return this.byAccount.get([account], fetcher, { onOutcome: (outcome) => log(`quotes of ${account}: ${outcome}`) });
  }

  statusOf(account: string): Promise<KeyStatus> {
    return this.cache.status(this.byAccount.key([account]));
  }
}

it('what the cache says of itself', async () => {
  const cache = createCache();
  const quotes = new QuotesCache(cache);
  const lines: string[] = [];
  const fetcher: Fetcher<string[]> = async ({ dependsOn }) => {
    dependsOn(record('Quote', '0Q0000000000001'));
    return ['0Q0000000000001'];
  };
  expect(await quotes.statusOf('001')).toBe('empty');
  await quotes.ofAccount('001', fetcher, (line) => lines.push(line));
  await quotes.ofAccount('001', fetcher, (line) => lines.push(line));
  expect(lines).toEqual(['quotes of 001: miss', 'quotes of 001: hit']);
  expect(await quotes.statusOf('001')).toBe('exists');

  const keys: string[] = [];
  for await (const key of cache.scan('quotes:account:*')) keys.push(key);
  const count = await cache.countByPattern('quotes:*');
  const bytes = await cache.memoryUsageByPattern('quotes:*'); // of the values, without the index
  const { dropped, keys: droppedKeys, deferred } = await cache.invalidate(record('Quote', '0Q0000000000001'));
  expect({ keys, count, dropped, droppedKeys, deferred }).toEqual({
    keys: ['quotes:account:001'],
    count: 1,
    dropped: 1,
    droppedKeys: ['quotes:account:001'],
    deferred: 0,
  });
  expect(bytes).toBeGreaterThan(0);
  await cache.close();
});
