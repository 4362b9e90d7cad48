import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CacheService } from '@bff/infra/cache/cache.service';
import { MemoryCacheStore } from '@bff/infra/cache/store/memory/memory-cache-store';
import { Encryption } from '@bff/infra/cache/encryption';
import { ValueCodec } from '@bff/infra/cache/protocol/value-codec';
import { WhmcsCacheService } from '@bff/modules/billing/whmcs-cache.service';
import { Pseudonyms } from '@bff/infra/callers/pseudonyms';
import { MappingCacheService } from '@bff/modules/identity/mapping-cache.service';
import { CatalogCacheService } from '@bff/modules/catalog/catalog-cache.service';

describe('[P12] [P13] how long entries live', () => {
  let now: number;
  let cache: CacheService;
  beforeEach(() => {
    now = 1_000_000;
    cache = new CacheService({
      store: new MemoryCacheStore({ maxBytes: 1e6, clock: () => now }),
      codec: new ValueCodec(new Encryption([{ id: 'k', secret: new Uint8Array(32) }])),
      defaults: { waitMs: 30_000, leaseMs: 10_000, safetyTtlSeconds: undefined },
      bypassConcurrency: 1,
    });
  });
  afterEach(() => cache.close());

  /** Reads once, and again 1 ms before and 1 ms after this time has passed; returns whether these two reads fetched. */
  async function fetchesAround(
    seconds: number,
    read: (fetch: () => Promise<never[]>) => Promise<unknown>,
  ): Promise<boolean[]> {
    let fetches = 0;
    const fetch = async () => (fetches++, []);
    await read(fetch);
    const begin = now;
    const fetched: boolean[] = [];
    for (const at of [begin + seconds * 1000 - 1, begin + seconds * 1000 + 1]) {
      const before = fetches;
      now = at;
      await read(fetch);
      fetched.push(fetches > before);
    }
    return fetched;
  }

  it.each<[string, number, (billing: WhmcsCacheService, fetch: () => Promise<never[]>) => Promise<unknown>]>([
    ['the list of invoices', 90, (billing, fetch) => billing.getInvoices(1, fetch)],
    ['an invoice', 300, (billing, fetch) => billing.getInvoice(1, 2, fetch as never)],
    ['the list of subscriptions', 300, (billing, fetch) => billing.getSubscriptions(1, fetch)],
    ['a subscription', 600, (billing, fetch) => billing.getSubscription(1, 2, fetch as never)],
    ['payment methods', 900, (billing, fetch) => billing.getPaymentMethods(1, fetch)],
    ['gateways', 3600, (billing, fetch) => billing.getGateways(fetch)],
  ])('%s: %i s', async (_what, seconds, read) => {
    const billing = new WhmcsCacheService(cache);
    expect(await fetchesAround(seconds, (fetch) => read(billing, fetch))).toEqual([false, true]);
  });

  it('[C2] that a user has no account: 10 s', async () => {
    const mappings = new MappingCacheService(cache, new Pseudonyms());
    const none = (fetch: () => Promise<unknown>) => mappings.get('nobody', async () => (await fetch(), null));
    expect(await fetchesAround(10, none)).toEqual([false, true]);
  });

  it('availability 60 s; the catalog itself stays', async () => {
    const catalog = new CatalogCacheService(cache);
    expect(await fetchesAround(60, (fetch) => catalog.getAvailability('sim', fetch as never))).toEqual([false, true]);
    expect(await fetchesAround(30 * 24 * 3600, (fetch) => catalog.getProducts('sim', undefined, fetch))).toEqual([
      false,
      false,
    ]);
  });
});
