import { createHmac, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { CacheError } from '@bff/infra/cache/cache.errors';
import type { CacheService } from '@bff/infra/cache/cache.service';
import type { Invalidation } from '@bff/infra/cache/cache.types';
import { createCache } from '@bff/infra/cache/create-cache';
import { record } from '@bff/infra/cache/dependencies';
import { DomainCache } from '@bff/infra/cache/domain-cache';
import { hybrid } from '@bff/infra/cache/strategies';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

interface Stock {
  readonly sku: string;
  readonly count: number;
}

class StockCache extends DomainCache {
  private readonly bySku = this.bucket<Stock | null>('sku', { strategy: hybrid(300), ttlJitter: 0.1 });

  constructor(
    cache: CacheService,
    private readonly api: string,
  ) {
    super('stock', cache);
  }

  /** null: the API knows no such article, which is remembered for as long as any other answer. */
  of(sku: string): Promise<Stock | null> {
    return this.bySku.get([sku], async ({ dependsOn, signal }) => {
      dependsOn(record('Stock', sku));
      const response = await fetch(`${this.api}/stock/${encodeURIComponent(sku)}`, {
        signal: AbortSignal.any([signal, AbortSignal.timeout(5_000)]),
      });
      if (response.status === 404) return null;
      if (!response.ok) throw new Error(`the stock API answered ${response.status}`); // for the caller; never stored
      return (await response.json()) as Stock;
    });
  }

  /** Resolves when no later read, in any process, returns what was fetched before. */
  changed(sku: string): Promise<Invalidation> {
    return this.invalidate(record('Stock', sku));
  }
}

class StockWebhook {
  constructor(
    private readonly stock: StockCache,
    private readonly secret: string,
  ) {}

  /** The status to answer. Anything but 204 makes the sender send it again. */
  async receive(body: Buffer, signature: string): Promise<number> {
    const expected = createHmac('sha256', this.secret).update(body).digest();
    const given = Buffer.from(signature, 'hex');
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return 401;
    const { sku } = JSON.parse(String(body)) as { sku: string };
    try {
      await this.stock.changed(sku);
      return 204; // acknowledged
    } catch (error) {
      if (error instanceof CacheError && error.retryable) return 503;
      throw error;
    }
  }
}

describe('a cache of an HTTP API', () => {
  const secret = 'a secret of thirty-two characters';
  const counts = new Map([['kettle', 3]]);
  let requests: string[];
  let cache: CacheService;
  let stock: StockCache;
  let isBroken: boolean;
  const api = createServer((request, response) => {
    requests.push(request.url ?? '');
    const sku = request.url?.split('/').pop() ?? '';
    const count = counts.get(sku);
    response.statusCode = isBroken ? 500 : count === undefined ? 404 : 200;
    response.end(JSON.stringify({ sku, count }));
  });

  beforeEach(async () => {
    [requests, isBroken] = [[], false];
    await once(api.listen(0, '127.0.0.1'), 'listening');
    cache = createCache();
    stock = new StockCache(cache, `http://127.0.0.1:${(api.address() as AddressInfo).port}`);
  });
  afterEach(async () => {
    await cache.close();
    api.closeAllConnections();
    await new Promise((resolve) => api.close(resolve));
  });
  const signed = (body: Buffer) => createHmac('sha256', secret).update(body).digest('hex');

  it('[N4] asks once, keeps an absence, keeps no error', async () => {
    expect(await Promise.all([stock.of('kettle'), stock.of('kettle')])).toEqual([
      { sku: 'kettle', count: 3 },
      { sku: 'kettle', count: 3 },
    ]);
    expect([await stock.of('pan'), await stock.of('pan')]).toEqual([null, null]);
    expect(requests).toEqual(['/stock/kettle', '/stock/pan']);
    isBroken = true;
    await expect(stock.of('pot')).rejects.toThrow('the stock API answered 500');
    isBroken = false;
    expect(await stock.of('pot')).toBeNull();
  });

  it('[N4] shows a change at once when a signed message tells of it, and no other message', async () => {
    const webhook = new StockWebhook(stock, secret);
    const server = createServer((request, response) => {
      void buffer(request)
        .then((body) => webhook.receive(body, String(request.headers['x-signature'] ?? '')))
        .then((status) => response.writeHead(status).end());
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const send = async (body: string, signature: string) => {
      const { port } = server.address() as AddressInfo;
      const headers = { 'x-signature': signature };
      return (await fetch(`http://127.0.0.1:${port}/hooks/stock`, { method: 'POST', body, headers })).status;
    };
    const body = '{"sku":"kettle"}';
    await stock.of('kettle');
    counts.set('kettle', 2);
    expect(await send(body, 'ab'.repeat(32))).toBe(401);
    expect(await send(body, '')).toBe(401);
    expect(await stock.of('kettle')).toEqual({ sku: 'kettle', count: 3 });
    expect(await send(body, signed(Buffer.from(body)))).toBe(204);
    expect(await stock.of('kettle')).toEqual({ sku: 'kettle', count: 2 });
    await cache.close();
    await expect(webhook.receive(Buffer.from(body), signed(Buffer.from(body)))).rejects.toThrow();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
});
