import { afterEach, describe, expect, it } from '@jest/globals';
import type { RawEnvironment } from '@bff/infra/config/read-environment';
import { Portal } from './support/portal.js';
import { IDS } from './support/recorded-org.js';

const ORDER = { items: [{ productId: IDS.fibre, quantity: 1 }] };

/** What is left of a minute: some seconds of it pass on a busy machine. */
const SECONDS = /^(60|5\d)$/;

/** The field without its times. */
const untimed = (field: unknown) => String(field).replace(/t=\d+/g, 't=…');

describe('[C2] the limits of customers over HTTP', () => {
  let portal: Portal;
  const open = async (env: RawEnvironment = {}) => (portal = await Portal.open(env));
  afterEach(() => portal.close());

  const statuses = async (count: number, ask: () => Promise<{ statusCode: number }>) =>
    (await Promise.all(Array.from({ length: count }, ask))).map(({ statusCode }) => statusCode).sort();

  it('stand on every answer under /api to a customer, with what is left of them', async () => {
    await open({ LIMIT_REQUESTS: '10/60', LIMIT_WRITES: '3/30' });
    const answers = [
      await portal.get('alice', '/api/orders'),
      await portal.get('alice', '/api/orders/801000000000999'),
      await portal.post('alice', '/api/orders', ORDER),
      await portal.post('alice', '/api/orders', '{"items":'),
    ];
    const told = answers.map(({ statusCode, headers }) => [
      statusCode,
      headers['ratelimit-policy'],
      untimed(headers['ratelimit']),
    ]);
    expect(told).toEqual([
      [200, '"request";q=10;w=60', '"request";r=9;t=…'],
      [404, '"request";q=10;w=60', '"request";r=8;t=…'],
      [201, '"request";q=10;w=60, "write";q=3;w=30', '"request";r=7;t=…, "write";r=2;t=…'],
      [400, '"request";q=10;w=60, "write";q=3;w=30', '"request";r=6;t=…, "write";r=1;t=…'],
    ]);
    for (const path of ['/health/live', '/nowhere', '/api/orders'])
      expect((await portal.anonymous(path)).headers).not.toHaveProperty('ratelimit');
  });

  it('refuse one request more with a problem that says which limit and when to come back', async () => {
    await open({ LIMIT_REQUESTS: '5/60' });
    expect(await statuses(8, () => portal.get('alice', '/api/orders'))).toEqual([
      200, 200, 200, 200, 200, 429, 429, 429,
    ]);
    const refused = await portal.get('alice', '/api/catalog');
    expect(refused.statusCode).toBe(429);
    expect(refused.headers).toMatchObject({
      'content-type': 'application/problem+json; charset=utf-8',
      'retry-after': expect.stringMatching(SECONDS),
      'ratelimit-policy': '"request";q=5;w=60',
      ratelimit: expect.stringMatching(/^"request";r=0;t=(60|5\d)$/),
    });
    expect(refused.json()).toMatchObject({
      type: 'urn:evergreen:problem:rate-limited',
      status: 429,
      code: 'RATE_LIMITED',
      'violated-policies': ['request'],
    });
    expect((await portal.get('bob', '/api/orders')).statusCode).toBe(200);
    expect((await portal.anonymous('/health/live')).statusCode).toBe(200);
  });

  it('let a refused request wait, and no other one, so that a client in a loop does not keep the process busy', async () => {
    await open({ LIMIT_REQUESTS: '3/60' });
    const timed = async (user: string) => {
      const begin = performance.now();
      const { statusCode } = await portal.get(user, '/api/orders');
      return { statusCode, isHeld: performance.now() - begin >= 490 };
    };
    expect(await statuses(3, () => portal.get('alice', '/api/orders'))).toEqual([200, 200, 200]);
    const held = { statusCode: 429, isHeld: true };
    expect(await Promise.all([timed('alice'), timed('alice')])).toEqual([held, held]);
    expect((await timed('bob')).statusCode).toBe(200);
  });

  it('refuse a write before its body is read and before anything is fetched for it', async () => {
    await open({ LIMIT_WRITES: '2/60' });
    expect(await statuses(5, () => portal.post('alice', '/api/orders', ORDER))).toEqual([201, 201, 429, 429, 429]);
    expect(portal.org.composites).toHaveLength(2);
    const before = { ...portal.org.queries };
    const unreadable = await portal.post('alice', '/api/orders', '{"items":');
    expect([unreadable.statusCode, unreadable.json()['violated-policies']]).toEqual([429, ['write']]);
    expect(portal.org.queries).toEqual(before);
    expect((await portal.get('alice', '/api/orders')).statusCode).toBe(200);
  });

  it('hold for a user without an account, too, whose account is not looked for beyond them', async () => {
    await open({ LIMIT_REQUESTS: '2/60' });
    expect(await statuses(4, () => portal.get('nobody', '/api/orders'))).toEqual([403, 403, 429, 429]);
    const refused = await portal.get('nobody', '/api/orders');
    expect(refused.headers['ratelimit']).toMatch(/^"request";r=0;t=/);
    expect(portal.org.queries['Account']).toBe(1);
  });

  it('charge no request without a valid token to anybody', async () => {
    await open({ LIMIT_REQUESTS: '1/60' });
    for (let i = 0; i < 5; i++) expect((await portal.anonymous('/api/orders')).statusCode).toBe(401);
    expect((await portal.get('alice', '/api/orders')).statusCode).toBe(200);
  });

  it('refuse an event stream beyond those that a user may open, and tell each its limits', async () => {
    await open({ LIMIT_STREAMS: '2/60' });
    await portal.app.listen(0, '127.0.0.1');
    const url = `${await portal.app.getUrl()}/api/events`;
    const headers = { authorization: `Bearer ${await portal.issuer.token('alice')}` };
    const closing = new AbortController();
    const request = (method: string) => fetch(url, { method, headers, signal: closing.signal });
    expect((await request('HEAD')).status).toBe(200); // opens none
    const opened = [await request('GET'), await request('GET')];
    expect(opened.map((answer) => [answer.status, untimed(answer.headers.get('ratelimit'))])).toEqual([
      [200, expect.stringMatching(/^"request";r=\d+;t=…, "stream";r=1;t=…$/)],
      [200, expect.stringMatching(/^"request";r=\d+;t=…, "stream";r=0;t=…$/)],
    ]);
    const refused = await request('GET');
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, expect.stringMatching(SECONDS)]);
    expect(await refused.json()).toMatchObject({ 'violated-policies': ['stream'] });
    closing.abort();
  });
});
