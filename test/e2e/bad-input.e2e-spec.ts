import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Portal } from './support/portal.js';

interface Problem {
  type: string;
  status: number;
  detail: string;
}

describe('bad input', () => {
  let portal: Portal;
  let headers: Record<string, string>;
  beforeAll(async () => {
    portal = await Portal.embedded();
    headers = { authorization: `Bearer ${await portal.token(1)}` };
  });
  afterAll(() => portal.stop());

  const post = (body: string, type = 'application/json') =>
    portal.request('/api/orders', { method: 'POST', headers: { ...headers, 'content-type': type }, body });

  it('an unknown category is 404, and the answer names the known ones', async () => {
    const { status, headers: answered, body } = await portal.get('/api/catalog/nonsense');
    expect(status).toBe(404);
    expect(answered.get('content-type')).toMatch(/^application\/problem\+json/);
    expect((body as Problem).detail).toMatch(/internet/);
  });

  it.each([
    ['xyz', /15 or 18/],
    ['8015g0000000006AAB', /check characters/],
    ['8015g00000000*6AAA', /letters and digits/],
    ['%2A', /letters and digits/],
    ['801%3AAAAAAAAAAAAAA', /letters and digits/],
  ])('the malformed order id %s is 400 with what is wrong', async (id, why) => {
    const { status, body } = await portal.get(`/api/orders/${id}`);
    expect(status).toBe(400);
    expect((body as Problem).detail).toMatch(why);
  });

  it('a 15-character id is the same order as its 18-character form', async () => {
    const [order] = (await portal.get('/api/orders')).body as [{ id: string }];
    expect((await portal.get(`/api/orders/${order.id.slice(0, 15)}`)).body).toMatchObject({ id: order.id });
  });

  it('no token, a damaged one, an expired one and a foreign one are 401 and say nothing more', async () => {
    const other = await Portal.embedded(); // its sandbox issues tokens with another key
    try {
      const foreign = await other.token(1);
      const [head, payload, signature] = (headers.authorization as string).slice(7).split('.') as [
        string,
        string,
        string,
      ];
      const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`;
      for (const token of [
        undefined,
        'rubbish',
        `${head}.${payload}.${signature.slice(0, -4)}AAAA`,
        unsigned,
        foreign,
      ]) {
        const answer = await portal.request(
          '/api/orders',
          token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } },
        );
        expect(answer.status).toBe(401);
        expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
        expect(JSON.stringify(answer.body)).not.toMatch(/jose|stack|node_modules/);
      }
    } finally {
      await other.stop();
    }
  });

  it('a body of a megabyte is 413, deep or broken JSON and wrong fields are 400, what is no JSON 415', async () => {
    expect((await post(JSON.stringify({ items: 'x'.repeat(1024 * 1024) }))).status).toBe(413);
    expect((await post('['.repeat(20_000) + ']'.repeat(20_000))).status).toBe(400);
    expect((await post('{"items":')).status).toBe(400);
    expect((await post('{"items":[]}')).status).toBe(400);
    expect((await post('{"items":[{"productId":"01t5g000000000BAAQ","quantity":-1}]}')).status).toBe(400);
    expect((await post('{"__proto__":{"x":1},"items":[{"productId":"*","quantity":1}]}')).status).toBe(400);
    expect((await post('a=b', 'application/x-www-form-urlencoded')).status).toBe(415);
    expect((await post('<a/>', 'text/xml')).status).toBe(415);
  });

  it('an unknown path is 404, an unreadable one 400, and neither shows anything of ours', async () => {
    const unknown = await portal.get('/api/nothing');
    expect([unknown.status, (unknown.body as Problem).status]).toEqual([404, 404]);
    expect((await portal.request('/%E0%A4%A')).status).toBe(400);
    expect((await portal.get(`/api/orders/${'8'.repeat(5000)}`)).status).toBeGreaterThanOrEqual(400);
  });

  it('after all of it the portal serves as before', async () => {
    expect((await portal.get('/api/orders')).status).toBe(200);
    expect((await portal.request('/health')).body).toMatchObject({ status: 'ok' });
  });
});
