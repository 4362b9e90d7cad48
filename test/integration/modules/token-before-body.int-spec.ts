import { currentCaller } from '@bff/infra/callers/caller';
import { Pseudonyms } from '@bff/infra/callers/pseudonyms';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { Portal } from './support/portal.js';
import { listeningPort, rawAnswer, rawConnection, rawHead } from './support/raw-connection.js';
import { IDS } from './support/recorded-org.js';

const BODY_BYTES = 65_536;

let portal: Portal;
let port: number;
const lines: { level: number; msg: string; err?: unknown }[] = [];

beforeAll(async () => {
  portal = await Portal.open({ LOG_LEVEL: 'debug' }, { write: (line) => void lines.push(JSON.parse(line)) });
  port = await listeningPort(portal);
});
afterAll(() => portal.close());

/** The head of a request that announces a body, without the body. */
function upload(path: string, token?: string): string {
  const authorization = token === undefined ? '' : `authorization: Bearer ${token}\r\n`;
  const length = `content-type: application/json\r\ncontent-length: ${BODY_BYTES}\r\n`;
  return `POST ${path} HTTP/1.1\r\nhost: x\r\n${authorization}${length}\r\n`;
}

describe('a body', () => {
  it.each<[string, string, () => string | undefined | Promise<string>, number]>([
    ['without a token', '/api/orders', () => undefined, 401],
    ['with a token that is none', '/api/orders', () => 'nonsense', 401],
    ['with the token of a stranger', '/api/orders', () => portal.issuer.token('nobody'), 403],
    ['to nowhere', '/nowhere', () => undefined, 404],
    ['to nowhere, with a token', '/api/nowhere', () => portal.issuer.token('alice'), 404],
  ])('[C8] %s is answered before any of it has come', async (_, path, token, status) => {
    const head = await rawHead(port, upload(path, await token()));
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} .*application/problem\\+json`, 's'));
    for (const header of ['cache-control: no-store', 'x-request-id: ', "content-security-policy: default-src 'none'"]) {
      expect(head.toLowerCase()).toContain(`\r\n${header}`);
    }
  });

  it('[C8] of 64 KB of brackets is not looked at without a token', async () => {
    const answer = await portal.app.inject({
      method: 'POST',
      url: '/api/orders',
      headers: { 'content-type': 'application/json' },
      payload: '['.repeat(BODY_BYTES),
    });
    expect(answer.statusCode).toBe(401); // and not 400
  });

  it('[C8] that nobody will read ends the connection if it is larger than bodies may be', async () => {
    const endless = 'POST /api/orders HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n10000\r\n';
    expect(await rawAnswer(port, endless)).toMatch(/^HTTP\/1.1 401 .*^connection: close/ims);
    const small = upload('/api/orders').replace(String(BODY_BYTES), '2');
    const twice = `${small}{}GET /health/live HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`;
    expect(await rawAnswer(port, twice)).toMatch(/^HTTP\/1.1 401 .*HTTP\/1.1 200 /s);
  });

  it('[C8] from a sender that has gone is one line at debug, and no error', async () => {
    const token = await portal.issuer.token('alice');
    await portal.get('alice', '/api/orders');
    lines.length = 0;
    let begun = 0;
    portal.app.getHttpServer().on('request', () => (begun += 1));
    const uploads = Array.from({ length: 100 }, () => rawConnection(port, `${upload('/api/orders', token)}{"items":[`));
    await eventually(() => begun === 100, { what: '100 requests under way' });
    for (const each of uploads) each.resetAndDestroy();
    const aborted = () => lines.filter(({ msg }) => /^POST \/api\/orders aborted after \d+ ms$/.test(msg));
    await eventually(() => aborted().length === 100, { what: 'a line for each upload' });
    expect(new Set(aborted().map(({ level }) => level))).toEqual(new Set([20]));
    expect(lines.filter(({ level }) => level > 20)).toEqual([]);
    expect(portal.org.composites).toEqual([]);
  });
});

describe('a route', () => {
  it.each([
    ['GET', '/api/orders'],
    ['HEAD', '/api/orders'],
    ['GET', '/%61pi/orders'],
    ['GET', 'http://x/api/orders'],
    ['GET', '/api/orders/'.concat(IDS.aliceOrder)],
    ['GET', '/api/events'],
    ['GET', '/api/catalog?x=/health/live'],
  ])('[C8] that is not marked as public needs a token: %s %s', async (method, target) => {
    const head = await rawHead(port, `${method} ${target} HTTP/1.1\r\nhost: x\r\n\r\n`);
    expect(head).toMatch(/^HTTP\/1.1 401 /);
  });

  it('knows for whom it works, with a body and without', async () => {
    const seen: unknown[] = [];
    portal.org.delay = () => Promise.resolve(void seen.push(currentCaller()));
    const pseudonyms = portal.app.get(Pseudonyms);
    const bob = { subject: pseudonyms.of('subject', 'bob'), account: pseudonyms.of('account', IDS.bob) };
    await portal.get('bob', '/api/orders');
    expect(seen).toEqual([{ ...bob, account: undefined }, bob]);
    seen.length = 0;
    await portal.post('bob', '/api/orders', { items: [{ productId: IDS.esim, quantity: 1 }] });
    expect(seen.length).toBeGreaterThan(0);
    for (const caller of seen) expect(caller).toMatchObject(bob);
    expect(currentCaller()).toBeUndefined();
  });
});
