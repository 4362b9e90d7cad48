import { createServer, request, type IncomingMessage, type Server } from 'node:http';
import { networkInterfaces } from 'node:os';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser } from 'puppeteer-core';
import { startSandbox, type Sandbox } from '../../../apps/sandbox/src/sandbox.js';
import { startBrowser } from './browser.js';

interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly address?: string;
}

/** A request as a browser may send it, whatever its headers: `fetch` would not send `Host` and `Origin` as told. */
async function ask(sandbox: Sandbox, { method = 'GET', path = '/sandbox', headers = {}, body, address }: Asked) {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const options = { host: address ?? '127.0.0.1', port: sandbox.port, path, method, headers, agent: false };
    request(options, resolve).once('error', reject).end(body);
  });
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return { status: response.statusCode, headers: response.headers, text };
}

const FORM = 'application/x-www-form-urlencoded';
const WHMCS = { identifier: 'sandbox-identifier', secret: 'sandbox-secret', responsetype: 'json' };
const payInvoice = (id: number) =>
  new URLSearchParams({ ...WHMCS, action: 'UpdateInvoice', invoiceid: String(id), status: 'Paid' }).toString();

describe('[C14] the sandbox', () => {
  let sandbox: Sandbox;
  beforeAll(async () => {
    const names = { publicUrl: 'http://sandbox.test:4000', allowedHosts: ['Other.test'] };
    sandbox = await startSandbox({ port: 0, latencyMs: 0, ...names });
  });
  afterEach(() => sandbox.endFaults());
  afterAll(() => sandbox.close());

  it.each([
    '127.0.0.1',
    '127.8.9.10:4000',
    'localhost:80',
    'LOCALHOST',
    'a.localhost',
    '[::1]:4000',
    'sandbox.test',
    'other.TEST:1',
  ])('answers under its own names: %s', async (host) => {
    expect((await ask(sandbox, { headers: { host } })).status).toBe(200);
  });

  it.each([
    'evil.test',
    '203.0.113.7:4000',
    'localhost.evil.test',
    '127.0.0.1.evil.test',
    'x@localhost',
    'sandbox.test.',
    '[::2]',
  ])('answers under no other, on any route: %j', async (host) => {
    const routes = ['/', '/demo/token/1', '/demo/salesforce-token', '/health', '/sandbox/feed', '/nothing'];
    for (const path of [...routes, '/services/data', '/.well-known/jwks.json']) {
      const answer = await ask(sandbox, { path, headers: { host } });
      expect([path, answer.status]).toEqual([path, 421]);
      expect(answer.text).toContain('SANDBOX_ALLOWED_HOSTS');
    }
    for (const path of ['/services/oauth2/token', '/whmcs/includes/api.php', '/cometd/67.0', '/sandbox/faults'])
      expect((await ask(sandbox, { method: 'POST', path, headers: { host } })).status).toBe(421);
  });

  it('answers under an address of this machine to a request that came in by it', async () => {
    const address = Object.values(networkInterfaces())
      .flatMap((all) => all ?? [])
      .find(({ internal, family }) => !internal && family === 'IPv4')?.address;
    if (address === undefined) return; // a machine without a network
    const open = await startSandbox({ port: 0, latencyMs: 0, host: '0.0.0.0' });
    try {
      expect((await ask(open, { address, headers: { host: `${address}:4000` } })).status).toBe(200);
      expect((await ask(open, { headers: { host: address } })).status).toBe(421);
    } finally {
      await open.close();
    }
  });

  const fault = { path: '/sandbox/faults', method: 'POST', body: '{"fault":"event-limit","isExceeded":true}' };
  const json = { 'content-type': 'application/json' };

  it('takes a command from a program and from its own page', async () => {
    const host = new URL(sandbox.url).host;
    expect((await ask(sandbox, { ...fault, headers: json })).status).toBe(200);
    const page = { ...json, host, origin: sandbox.url, 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors' };
    expect((await ask(sandbox, { ...fault, headers: page })).status).toBe(200);
    const typed = { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
    expect((await ask(sandbox, { path: '/', headers: typed })).status).toBe(200);
    const link = { ...typed, 'sec-fetch-site': 'cross-site' };
    expect((await ask(sandbox, { path: '/', headers: link })).status).toBe(200);
  });

  it.each([
    { origin: 'http://evil.test' },
    { origin: 'null' },
    { origin: 'http://127.0.0.1:1' },
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' },
    { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'cors' },
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
  ])('takes none from the page of another site: %j', async (from) => {
    const headers = { ...json, ...from };
    const form = { ...headers, 'content-type': FORM };
    const order = { Status: 'Draft' };
    const salesforce = { ...headers, authorization: `Bearer ${sandbox.issueToken()}` };
    const tries: Asked[] = [
      { ...fault, headers },
      { method: 'DELETE', path: '/sandbox/faults', headers },
      { method: 'POST', path: '/whmcs/includes/api.php', headers: form, body: payInvoice(10_001) },
      { method: 'POST', path: '/services/oauth2/token', headers: form, body: 'grant_type=client_credentials' },
      { method: 'POST', path: '/services/data/v67.0/sobjects/Order', headers: salesforce, body: JSON.stringify(order) },
      { method: 'POST', path: '/cometd/67.0', headers, body: '[]' },
      { method: 'OPTIONS', path: '/sandbox/faults', headers },
    ];
    for (const each of tries) {
      const answer = await ask(sandbox, each);
      expect([each.path, answer.status]).toEqual([each.path, 403]);
      expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control-'))).toEqual([]);
    }
  });

  it.each([FORM, 'text/plain', 'multipart/form-data; boundary=x'])('takes no command as %s', async (type) => {
    const answer = await ask(sandbox, { ...fault, headers: { 'content-type': type } });
    expect(answer.status).toBe(415);
    expect(await (await fetch(`${sandbox.url}/sandbox/faults`)).json()).toMatchObject({ inForce: {} });
  });

  it('is shown in no frame, and nothing of it is guessed to be code', async () => {
    for (const path of ['/', '/page/page.mjs', '/demo/token/1', '/sandbox', '/nothing', '/services/data']) {
      expect([path, (await ask(sandbox, { path })).headers]).toMatchObject([
        path,
        {
          'content-security-policy': expect.stringContaining("frame-ancestors 'none'"),
          'x-frame-options': 'DENY',
          'x-content-type-options': 'nosniff',
        },
      ]);
    }
  });

  it('refuses a parameter that is given twice, and what is no form, as a mistake of the caller', async () => {
    const post = (path: string, body: string, type = FORM) =>
      ask(sandbox, { method: 'POST', path, body, headers: { 'content-type': type } });
    const whmcs = '/whmcs/includes/api.php';
    for (const parameter of ['action=GetInvoices', 'identifier=x', 'responsetype=json', 'status=Paid&status=Paid']) {
      const { status, text } = await post(whmcs, `${payInvoice(10_001)}&${parameter}`);
      expect([status, JSON.parse(text)]).toMatchObject([
        400,
        { result: 'error', message: expect.stringMatching(/more than once/) },
      ]);
    }
    expect((await post(`${whmcs}?a=1&a=2`, payInvoice(10_001))).status).toBe(400);
    for (const body of ['grant_type=a&grant_type=b', 'grant_type=client_credentials&client_id=a&client_id=b']) {
      const { status, text } = await post('/services/oauth2/token', body);
      expect([status, JSON.parse(text)]).toMatchObject([400, { error: 'invalid_request' }]);
    }
    expect((await post('/services/oauth2/revoke?token=a&token=b', '')).status).toBe(400);
    for (const path of [whmcs, '/services/oauth2/token'])
      expect((await post(path, '{"action":5}', 'application/json')).status).toBe(415);
  });
});

describe('[C14] in a browser, the page of another site', () => {
  let sandbox: Sandbox;
  let site: Server;
  let browser: Browser;
  beforeAll(async () => {
    sandbox = await startSandbox({ port: 0, latencyMs: 0 });
    site = createServer((_, response) => response.setHeader('content-type', 'text/html').end('<!doctype html>'));
    await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
    browser = await startBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    site.close();
    await sandbox.close();
  });

  it('sends forms, calls and links in vain, and cannot show the sandbox in a frame', async () => {
    const page = await browser.newPage();
    const port = (site.address() as AddressInfo).port;
    const statuses: number[] = [];
    page.on('response', (response) => {
      if (response.url().startsWith(sandbox.url)) statuses.push(response.status());
    });
    // Another host, so another site; and the same host with another port, so another origin of the same site.
    for (const host of ['localhost', '127.0.0.1']) {
      await page.goto(`http://${host}:${port}/`);
      const texts = await page.evaluate(
        async (url: string, invoice: string) => {
          const tried: Promise<string>[] = [];
          const type = (contentType: string) => ({ 'content-type': contentType });
          const attempt = (path: string, init: object) =>
            tried.push(
              fetch(url + path, init).then(
                (response) => response.text(),
                () => '',
              ),
            );
          const form = 'application/x-www-form-urlencoded';
          attempt('/demo/token/1', {});
          attempt('/demo/salesforce-token', { mode: 'no-cors' });
          attempt('/sandbox/faults', {
            method: 'POST',
            mode: 'no-cors',
            body: '{"fault":"event-limit","isExceeded":true}',
          });
          attempt('/sandbox/faults', {
            method: 'POST',
            body: '{"fault":"event-limit","isExceeded":true}',
            headers: type('application/json'),
          });
          attempt('/whmcs/includes/api.php', { method: 'POST', mode: 'no-cors', body: invoice, headers: type(form) });
          return Promise.all(tried);
        },
        sandbox.url,
        payInvoice(10_014),
      );
      expect(texts.join('')).toBe('');
      const isOpaque = await page.evaluate(async (url: string) => {
        const document = (globalThis as any).document;
        const frame = document.createElement('iframe');
        const loaded = new Promise((resolve) => (frame.onload = resolve));
        frame.src = url;
        document.body.append(frame);
        await loaded;
        return frame.contentDocument === null;
      }, sandbox.url);
      expect(isOpaque).toBe(true); // an error page in its place, which the page cannot look into
      expect(page.frames().filter((frame) => frame.url().startsWith(sandbox.url))).toEqual([]);
      await page.evaluate((url: string) => {
        const document = (globalThis as any).document;
        document.body.innerHTML = `<form method="post" action="${url}/sandbox/faults"><input name="fault" value="event-limit"></form>`;
        document.forms[0].submit();
      }, sandbox.url);
      await page.waitForNavigation().catch(() => undefined);
    }
    expect(statuses.length).toBeGreaterThan(5);
    expect(statuses.filter((status) => status !== 403)).toEqual([]);
    expect(await (await fetch(`${sandbox.url}/sandbox/faults`)).json()).toMatchObject({ inForce: {} });
    expect(sandbox.counts.whmcs).toEqual({});
    await page.close();
  });
});
