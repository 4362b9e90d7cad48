import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { deferred } from '../../support/deferred.js';
import { eventually } from '../../support/eventually.js';
import { Portal } from './support/portal.js';
import { listeningPort, rawAnswer, rawConnection, rawHead } from './support/raw-connection.js';
import { IDS } from './support/recorded-org.js';

const ORDER = JSON.stringify({ items: [{ productId: IDS.esim, quantity: 1 }] });

type Line = Record<string, unknown> & { level: number; msg: string };

let portal: Portal;
let port: number;
const written: string[] = [];
const lines = () => written.map((line) => JSON.parse(line) as Line);

beforeAll(async () => {
  portal = await Portal.open(
    { LOG_LEVEL: 'info', LIMIT_WRITES: '5/60' },
    { write: (line: string) => void written.push(line) },
  );
  port = await listeningPort(portal);
});
afterAll(() => portal.close());

interface Upload {
  readonly method?: string;
  readonly path?: string;
  readonly token?: string | undefined;
  readonly type?: string;
  readonly bytes?: number;
}

/** The head of a request whose sender waits for 100 before it sends the body. */
function waiting({ method = 'POST', path = '/api/orders', token, type, bytes }: Upload): string {
  const fields = [
    'host: x',
    'expect: 100-continue',
    ...(token === undefined ? [] : [`authorization: Bearer ${token}`]),
    `content-type: ${type ?? 'application/json'}`,
    `content-length: ${bytes ?? ORDER.length}`,
  ];
  return `${method} ${path} HTTP/1.1\r\n${fields.join('\r\n')}\r\n\r\n`;
}

describe('a body that its sender holds back', () => {
  it.each<[number, string, (alice: string) => Upload | Promise<Upload>]>([
    [401, 'without a token', () => ({})],
    [401, 'with a token that is none', () => ({ token: 'nonsense' })],
    [403, 'of a stranger', async () => ({ token: await portal.issuer.token('nobody') })],
    [404, 'to nowhere', (token) => ({ token, path: '/nowhere' })],
    [405, 'with a wrong method', (token) => ({ token, method: 'PUT' })],
    [413, 'that is too large', (token) => ({ token, bytes: 10_000_000 })],
    [415, 'of another type', (token) => ({ token, type: 'text/plain' })],
  ])('[C8] is answered %i and never asked for %s', async (status, _, upload) => {
    const answer = await rawAnswer(port, waiting(await upload(await portal.issuer.token('alice'))));
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer).not.toContain('100 Continue');
    expect(answer).toMatch(/^connection: close\r$/im); // so that what comes next is not taken for the body
  });

  it('[C8] is asked for once the request may go on, and not when its limit is used up', async () => {
    const token = await portal.issuer.token('bob');
    const answers: string[] = [];
    for (let i = 0; i < 6; i += 1) {
      let answer = '';
      const socket = rawConnection(port, waiting({ token }));
      socket.on('data', (chunk) => (answer += chunk.toString()));
      await eventually(() => answer.includes('\r\n\r\n'), { what: 'the head of an answer' });
      answers.push(answer);
      if (answer.startsWith('HTTP/1.1 100 Continue\r\n\r\n')) {
        socket.write(ORDER);
        await eventually(() => answer.includes('HTTP/1.1 201 '), { what: 'the order' });
      }
      socket.destroy();
    }
    expect(answers.map((answer) => answer.slice(0, 12))).toEqual([
      ...Array<string>(5).fill('HTTP/1.1 100'),
      'HTTP/1.1 429',
    ]);
  });
});

/** An answer on the bare connection: its status, its header fields by lower-case name, and its body. */
function parsed(answer: string): { status: number; headers: Record<string, string>; body: Record<string, unknown> } {
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  const [first = '', ...fields] = head.split('\r\n');
  const headers = Object.fromEntries(
    fields.map((field) => [field.split(': ')[0]?.toLowerCase(), field.split(': ')[1]]),
  );
  return { status: Number(first.split(' ')[1]), headers, body: JSON.parse(body) as Record<string, unknown> };
}

const SECRET = 'b7e1f0c2secret';

describe('an answer that Node or the router would give by itself', () => {
  it.each([
    [417, 'expects something unknown', `GET /health/live?${SECRET} HTTP/1.1\r\nhost: x\r\nexpect: ${SECRET}\r\n`],
    [400, 'names no host', `GET /api/orders?${SECRET} HTTP/1.1\r\nx: ${SECRET}\r\n`],
    [400, 'names two hosts', `GET /api/orders?${SECRET} HTTP/1.1\r\nhost: x\r\nHost: ${SECRET}\r\n`],
    [400, 'has an address that cannot be read', `GET /${SECRET}/%E0%A4%A HTTP/1.1\r\nhost: x\r\n`],
    [414, 'has an address that is too long', `GET /api/orders/${SECRET.repeat(20)} HTTP/1.1\r\nhost: x\r\n`],
    [431, 'has too many headers', `GET / HTTP/1.1\r\nhost: x\r\nx: ${SECRET.repeat(2_000)}\r\n`],
    [400, 'is not HTTP', `${SECRET}\r\n`],
  ])('[C6] [C7] is a problem with our headers and a line: %i if a request %s', async (status, _, head) => {
    written.length = 0;
    const answer = parsed(await rawAnswer(port, `${head}connection: close\r\n\r\n`));
    expect(answer).toMatchObject({
      status,
      headers: {
        'content-type': 'application/problem+json; charset=utf-8',
        'cache-control': 'no-store',
        'content-security-policy': expect.stringContaining("default-src 'none'"),
        'x-content-type-options': 'nosniff',
        'x-request-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
        connection: 'close',
      },
      body: { status, detail: expect.any(String), requestId: answer.headers['x-request-id'] },
    });
    const own = () => lines().filter(({ requestId }) => requestId === answer.headers['x-request-id']);
    await eventually(() => own().length > 0, { what: 'a line for the answer' });
    expect(own()).toEqual([expect.objectContaining({ level: 40, res: { statusCode: status } })]);
    expect(written.join('')).not.toContain(SECRET.slice(0, 8));
    expect(written.join('').length).toBeLessThan(1_000);
  });

  it('[C6] repeats a well-formed id of the caller also where no route can be looked for', async () => {
    const head = await rawHead(port, 'GET /%E0%A4%A HTTP/1.1\r\nhost: x\r\nx-request-id: trace-42\r\n\r\n');
    expect(head).toContain('\r\nx-client-request-id: trace-42');
  });

  it('leaves HTTP/1.0 without a host alone', async () => {
    expect(await rawHead(port, 'GET /health/live HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1.1 200 /);
  });
});

describe('a request that comes while the server closes', () => {
  it('[C6] gets a problem with our headers, which says to send it again', async () => {
    const closing = await Portal.open();
    const closingPort = await listeningPort(closing);
    const [begun, released] = [deferred(), deferred()];
    closing.org.delay = async () => {
      begun.resolve();
      await released.promise;
    };
    const token = await closing.issuer.token('alice');
    let text = '';
    const first = `GET /api/orders HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n\r\n`;
    const socket = rawConnection(closingPort, first);
    const ended = new Promise<void>((resolve) => socket.on('close', () => resolve()));
    socket.on('data', (chunk) => (text += chunk.toString()));
    await begun.promise;
    const closed = closing.close();
    await eventually(() => !closing.app.getHttpServer().listening, { what: 'a server that closes' });
    socket.write('GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n');
    released.resolve();
    await ended;
    await closed;
    const answer = parsed(text.slice(text.lastIndexOf('HTTP/1.1 ')));
    expect(answer).toMatchObject({
      status: 503,
      headers: { 'cache-control': 'no-store', 'retry-after': '1', 'x-request-id': answer.body['requestId'] },
      body: { type: 'urn:evergreen:problem:process-ending' },
    });
  });
});
