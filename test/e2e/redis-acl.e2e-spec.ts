import { createHmac, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { eventually } from '../support/eventually.js';
import { startRedisServer, type RedisServer } from '../support/redis/redis-server.js';
import { smallestAcl } from '../support/redis/smallest-acl.js';
import { Portal } from './support/portal.js';

const SECRET = 'a-secret-of-more-than-thirty-two-characters';

interface Order {
  readonly id: string;
  readonly status: string;
}

describe('[B1] the whole product as exactly the user of Redis that the page shows', () => {
  let portal: Portal;
  let server: RedisServer;
  let admin: Redis;
  beforeAll(async () => {
    server = await startRedisServer();
    admin = new Redis(server.url);
    await admin.acl('SETUSER', 'evergreen', 'on', '>password', ...smallestAcl('evergreen'));
    const REDIS_URL = `redis://evergreen:password@127.0.0.1:${server.port}`;
    portal = await Portal.with({ REDIS_URL, WHMCS_WEBHOOK_SECRET: SECRET });
    await eventually(async () => (await portal.request('/health/sf-events')).status === 200, {
      withinMs: 60_000,
      what: 'change events are consumed',
    });
  });
  afterAll(async () => {
    admin.disconnect();
    await portal.stop();
    await server.stop();
  });

  const orders = async (bff: number) => (await portal.get('/api/orders', { bff })).body as Order[];

  it('follows changes, places orders, takes webhooks and tells browsers, and is never refused anything', async () => {
    const [order] = (await orders(0)) as [Order];
    await orders(1);
    const status = order.status === 'Cancelled' ? 'Activated' : 'Cancelled';
    await portal.change('Order', order.id, { Status: status });
    const isFollowed = async () => (await orders(1)).find(({ id }) => id === order.id)?.status === status;
    await eventually(isFollowed, { withinMs: 30_000, what: 'the change is seen' });

    const { products } = (await portal.get('/api/catalog/sim')).body as { products: { id: string }[] };
    const headers = { authorization: `Bearer ${await portal.token(1)}`, 'content-type': 'application/json' };
    const body = JSON.stringify({ items: [{ productId: products[0]?.id, quantity: 1 }] });
    expect((await portal.request('/api/orders', { method: 'POST', headers, body })).status).toBe(201);
    for (const path of ['/api/invoices', '/api/subscriptions', '/api/payment-methods'])
      expect((await portal.get(path)).status).toBe(200);

    const message = JSON.stringify({ id: randomUUID(), event: 'client.changed', clientId: 1 });
    const timestamp = String(Math.floor(Date.now() / 1000));
    const hmac = createHmac('sha256', SECRET).update(`${timestamp}.${message}`).digest('hex');
    const signed = { 'x-evergreen-timestamp': timestamp, 'x-evergreen-signature': `v1=${hmac}` };
    const sent = { method: 'POST', headers: { 'content-type': 'application/json', ...signed }, body: message };
    expect((await portal.request('/webhooks/whmcs', sent)).status).toBe(204);

    const stream = await fetch(`${portal.bffUrls[0]}/api/events`, { headers });
    expect(stream.status).toBe(200);
    await stream.body?.cancel();

    for (const path of ['/health', '/health/orders/cache', '/health/billing/cache', '/health/sf-events'])
      expect((await portal.request(path)).status).toBe(200);
    const { details } = (await portal.request('/health')).body as { details: { redis: unknown } };
    expect(details.redis).toMatchObject({ status: 'up' });
    for (const { output } of [...portal.bffs, ...portal.workers]) expect(output).not.toContain('Redis refuses');
    expect(await admin.acl('LOG')).toEqual([]);
  });
});
