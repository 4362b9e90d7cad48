import { connect, type AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { toSalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import { RequestMethod } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { DiscoveryService } from '@nestjs/core';
import { SignJWT } from 'jose';
import { IDS } from './support/recorded-org.js';
import { Portal } from './support/portal.js';
import { AUDIENCE, TokenIssuer } from './support/token-issuer.js';

let portal: Portal;

beforeAll(async () => {
  portal = await Portal.open();
});
afterAll(() => portal.close());

/** Every address of the application, with made-up parameters. */
function addresses(): { method: 'GET' | 'POST'; url: string }[] {
  const controllers = portal.app.get(DiscoveryService, { strict: false }).getControllers();
  return controllers.flatMap(({ metatype }) => {
    const { prototype } = metatype as { prototype: Record<string, object> };
    const base = String(Reflect.getMetadata(PATH_METADATA, metatype as object));
    return Object.getOwnPropertyNames(prototype).flatMap((name) => {
      const handler = prototype[name] as object;
      if (!Reflect.hasMetadata(METHOD_METADATA, handler)) return [];
      const path = String(Reflect.getMetadata(PATH_METADATA, handler)).replace(/:\w+/g, '1').replace(/^\//, '');
      const method = Reflect.getMetadata(METHOD_METADATA, handler) === RequestMethod.POST ? 'POST' : 'GET';
      return [{ method, url: `/${base}/${path}`.replace(/\/$/, '') } as const];
    });
  });
}

describe('a query parameter', () => {
  it('[N7] that a route does not know is refused by every route, by name', async () => {
    const all = addresses();
    expect(all.map(({ url }) => url)).toEqual(expect.arrayContaining(['/api/orders', '/health', '/api/events']));
    for (const { method, url } of all) {
      const headers = { authorization: `Bearer ${await portal.issuer.token('alice')}` };
      const answer = await portal.app.inject({ method, url: `${url}?colour=red`, headers });
      expect({ url, status: answer.statusCode, body: answer.json() }).toMatchObject({
        status: 400,
        body: { type: expect.stringContaining('invalid-request'), errors: [{ path: 'query.colour' }] },
      });
    }
  });

  it('[N7] that a route knows is read, beside an unknown one it is not', async () => {
    const status = async (url: string) => (await portal.get('alice', url)).statusCode;
    expect(await status('/api/catalog/internet?region=East')).toBe(200);
    expect(await status('/api/catalog/internet?region=East&regoin=West')).toBe(400);
    expect(await status('/api/orders')).toBe(200);
  });

  it('[N7] is refused after the token: a stranger learns nothing of it', async () => {
    expect((await portal.anonymous('/api/orders?colour=red')).statusCode).toBe(401);
  });
});

describe('a list', () => {
  it('[N7] that is cut says so, and one that is whole says that', async () => {
    const list = async () => {
      const { headers, ...answer } = await portal.get('bob', '/api/orders');
      return [answer.json<unknown[]>().length, headers['list-limit'], headers['list-complete']];
    };
    const [template] = portal.org.orders.filter(({ AccountId }) => AccountId === IDS.bob);
    const change = () => portal.events.change('Order', IDS.bobOrder, { changedFields: ['Status'] });
    const fill = async (count: number) => {
      const ids = Array.from({ length: count - 1 }, (_, n) =>
        toSalesforceId(`801${String(500 + n).padStart(12, '0')}`),
      );
      portal.org.orders.push(...ids.map((Id) => ({ ...template, Id })));
      await change();
    };
    const before = [...portal.org.orders];
    expect(await list()).toEqual([1, '200', 'true']);
    for (const [count, complete] of [
      [200, 'true'],
      [201, 'false'],
      [300, 'false'],
    ] as const) {
      portal.org.orders.splice(0, Infinity, ...before);
      await fill(count);
      const expected = [Math.min(count, 200), '200', complete];
      expect([await list(), await list()]).toEqual([expected, expected]); // fetched, and from the cache
    }
    portal.org.orders.splice(0, Infinity, ...before);
    await change();
  });
});

describe('a token', () => {
  const withToken = (token: string) => portal.anonymous('/api/orders', { authorization: `Bearer ${token}` });

  it('is needed', async () => {
    const answer = await portal.anonymous('/api/orders');
    expect([answer.statusCode, answer.headers['www-authenticate']]).toEqual([401, 'Bearer realm="evergreen"']);
  });

  it('must not have expired', async () => {
    const answer = await withToken(
      await portal.issuer.token('alice', { expiresAt: Math.floor(Date.now() / 1000) - 60 }),
    );
    expect(answer.statusCode).toBe(401);
    expect(answer.headers['www-authenticate']).toContain('expired');
  });

  it('must be for this portal and from its issuer', async () => {
    expect((await withToken(await portal.issuer.token('alice', { audience: 'other' }))).statusCode).toBe(401);
    expect((await withToken(await portal.issuer.token('alice', { issuer: 'https://evil.example' }))).statusCode).toBe(
      401,
    );
  });

  it('must be signed with the issuer’s key, by an asymmetric algorithm', async () => {
    const foreign = await TokenIssuer.start();
    try {
      expect((await withToken(await foreign.token('alice', { issuer: portal.issuer.url }))).statusCode).toBe(401);
    } finally {
      await foreign.stop();
    }
    const claims = new SignJWT({}).setSubject('alice').setIssuer(portal.issuer.url).setAudience(AUDIENCE);
    const symmetric = claims.setExpirationTime('5m').setProtectedHeader({ alg: 'HS256', kid: 'key-1' });
    expect((await withToken(await symmetric.sign(Buffer.alloc(32, 1)))).statusCode).toBe(401);
    const none = [{ alg: 'none' }, { sub: 'alice', iss: portal.issuer.url, aud: AUDIENCE, exp: 9999999999 }]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
    expect((await withToken(`${none}.`)).statusCode).toBe(401);
    expect((await withToken('nonsense')).statusCode).toBe(401);
  });

  it('must belong to a user with an account', async () => {
    const answer = await portal.get('nobody', '/api/orders');
    expect([answer.statusCode, answer.json().type]).toEqual([403, 'urn:evergreen:problem:account-not-linked']);
  });

  it('cannot be checked while the issuer is away, which is not the caller’s fault', async () => {
    const gone = await TokenIssuer.start();
    await gone.stop();
    const lonely = await Portal.open({ AUTH_JWKS_URL: `${gone.url}/jwks.json` });
    try {
      expect((await lonely.get('alice', '/api/orders')).statusCode).toBe(503);
    } finally {
      await lonely.close();
    }
  });
});

describe('a bad request', () => {
  it.each(['abc', '801000000000001AAB', '*', '801%2A', '8010000000000011', '80100000000000%27'])(
    'with the id %s is answered with 400 and what is wrong',
    async (id) => {
      const answer = await portal.get('alice', `/api/orders/${id}`);
      expect(answer.statusCode).toBe(400);
      expect(answer.json().detail).toMatch(/^id: /);
    },
  );

  it('to nowhere, with an unreadable address, or with the wrong method is a problem too', async () => {
    for (const [url, status] of [
      ['/nowhere', 404],
      ['/api/orders/%E0%A4%A', 400],
      ['/api/nowhere?x=secret', 404],
    ] as const) {
      const answer = await portal.get('alice', url);
      expect(answer.statusCode).toBe(status);
      expect(answer.headers['content-type']).toContain('application/problem+json');
      expect(answer.json()).toMatchObject({ status, requestId: answer.headers['x-request-id'] });
      expect(answer.body).not.toContain('secret');
    }
  });

  it('[N11] with a wrong method says which are right, another than one to a wrong address', async () => {
    const ask = async (method: 'PUT' | 'DELETE' | 'PATCH' | 'OPTIONS' | 'GET' | 'POST', url: string) => {
      const headers = { origin: 'https://shop.example', 'content-type': 'text/plain' };
      const answer = await portal.app.inject({ method, url, headers, ...(method !== 'GET' && { payload: 'x' }) });
      const cors = Object.keys(answer.headers).filter((name) => name.startsWith('access-control-'));
      expect([method, url, cors]).toEqual([method, url, []]);
      expect(answer.headers['x-request-id']).toBeDefined();
      return answer;
    };
    const addresses = [
      ['/api/orders', 'GET, HEAD, POST, OPTIONS'],
      [`/api/orders/${IDS.aliceOrder}?x=1`, 'GET, HEAD, OPTIONS'],
      ['/api/%6frders', 'GET, HEAD, POST, OPTIONS'],
      ['/api/catalog/eligibility', 'GET, HEAD, OPTIONS'],
      ['/api/events', 'GET, HEAD, OPTIONS'],
      ['/health/ready', 'GET, HEAD, OPTIONS'],
    ] as const;
    for (const [url, allow] of addresses) {
      for (const method of ['PUT', 'DELETE', 'PATCH'] as const) {
        const answer = await ask(method, url);
        expect([answer.statusCode, answer.headers.allow]).toEqual([405, allow]);
        expect(answer.json()).toMatchObject({
          type: 'urn:evergreen:problem:method-not-allowed',
          detail: `This address takes ${allow}.`,
        });
      }
      const options = await ask('OPTIONS', url);
      expect([options.statusCode, options.headers.allow, options.body]).toEqual([204, allow, '']);
    }
    expect((await ask('POST', '/api/catalog')).statusCode).toBe(405);
    for (const url of ['/', '/api', '/api/orders/a/b', '/api/order', '/apix/orders', '//api/orders'])
      for (const method of ['GET', 'OPTIONS'] as const) {
        const answer = await ask(method, url);
        expect([url, answer.statusCode, answer.headers.allow]).toEqual([url, 404, undefined]);
      }
  });

  it('with a body of a megabyte, of broken JSON, of deep JSON or of another type is refused', async () => {
    const post = (body: string, type?: string) => portal.post('alice', '/api/orders', body, type);
    expect((await post(JSON.stringify({ items: 'x'.repeat(1_000_000) }))).statusCode).toBe(413);
    expect((await post('{"items":')).statusCode).toBe(400);
    expect((await post(`{"items":${'['.repeat(20_000)}${']'.repeat(20_000)}}`)).statusCode).toBe(400);
    expect((await post(`{"a":`.repeat(10_000) + '1' + '}'.repeat(10_000))).statusCode).toBe(400);
    expect((await post('{"__proto__":{"items":[]}}')).statusCode).toBe(400);
    for (const type of ['application/xml', 'text/plain', 'application/x-www-form-urlencoded']) {
      const answer = await post('items=1', type);
      expect([answer.statusCode, answer.json().detail]).toEqual([415, 'Send the body as application/json.']);
    }
    expect((await portal.anonymous('/health/live')).statusCode).toBe(200);
  });

  it('with an address that is too long is a problem with its own title', async () => {
    const answer = await portal.get('alice', `/api/orders/${'8'.repeat(500)}`);
    expect(answer.json()).toMatchObject({
      status: 414,
      title: 'URI Too Long',
      detail: expect.stringContaining('too long'),
    });
    expect(answer.headers['content-type']).toContain('application/problem+json');
  });

  it('that is not readable HTTP is answered with a problem on the bare connection', async () => {
    await portal.app.listen(0, '127.0.0.1');
    const { port } = portal.app.getHttpServer().address() as AddressInfo;
    const answered = await Promise.all([
      rawAnswer(port, `GET / HTTP/1.1\r\nhost: x\r\nx-long: ${'x'.repeat(20_000)}\r\n\r\n`),
      rawAnswer(port, 'nonsense\r\n\r\n'),
    ]);
    expect(answered[0]).toMatch(/^HTTP\/1.1 431 .*application\/problem\+json.*headers of the request are too large/s);
    expect(answered[1]).toMatch(/^HTTP\/1.1 400 .*application\/problem\+json.*cannot be read/s);
  });
});

function rawAnswer(port: number, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(request));
    socket.on('data', (chunk) => (text += chunk.toString()));
    socket.on('error', reject).on('close', () => resolve(text));
  });
}

describe('every answer', () => {
  it('[C7] has an id of ours, and beside it the caller’s if that is well formed', async () => {
    const ours = expect.stringMatching(/^[0-9a-f-]{36}$/);
    const given = await portal.anonymous('/nowhere', { 'x-request-id': 'abc-123' });
    expect(given.headers).toMatchObject({ 'x-request-id': ours, 'x-client-request-id': 'abc-123' });
    expect(given.json().requestId).toBe(given.headers['x-request-id']);
    const bad = await portal.anonymous('/health/live', { 'x-request-id': 'a b"' });
    expect(bad.headers).toMatchObject({ 'x-request-id': ours });
    expect(bad.headers).not.toHaveProperty('x-client-request-id');
  });

  it('[E15] has security headers, and customers’ data is not kept by browsers', async () => {
    const answer = await portal.get('alice', '/api/orders');
    expect(answer.headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'cache-control': 'private, no-store',
      'content-security-policy': expect.stringContaining("default-src 'none'"),
    });
  });
});

describe('health', () => {
  it('tells the store and the events, and needs no token', async () => {
    const answer = await portal.anonymous('/health');
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toMatchObject({
      status: 'ok',
      details: { store: { status: 'up', kind: 'memory' }, 'sf-events': { status: 'up', events: 'up' } },
    });
    expect((await portal.anonymous('/health/ready')).json()).toEqual({ status: 'ready' });
  });
});
