import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { signatureOf } from '../../../apps/bff/src/webhooks/webhook-signature.js';
import { Portal } from './support/portal.js';
import { listeningPort, rawAnswer, rawHead } from './support/raw-connection.js';

const SECRET = 'a-secret-for-webhooks-of-32-characters';

let portal: Portal;
let port: number;
let token: string;

beforeAll(async () => {
  portal = await Portal.open({ WHMCS_WEBHOOK_SECRET: SECRET });
  port = await listeningPort(portal);
  token = await portal.issuer.token('alice');
});
afterAll(() => portal.close());

/** The status, and the values of `cache-control` and `x-content-type-options`. */
async function answered(method: string, target: string): Promise<[number, ...(string | undefined)[]]> {
  const authorization = `authorization: Bearer ${token}`;
  const head = await rawHead(port, `${method} ${target} HTTP/1.1\r\nhost: x\r\n${authorization}\r\n\r\n`);
  const value = (name: string) => new RegExp(`^${name}: (.*)\r?$`, 'im').exec(head)?.[1]?.trim();
  return [Number(head.split(' ')[1]), value('cache-control'), value('x-content-type-options')];
}

describe('an answer', () => {
  it.each([
    ['GET', '/api/payment-methods'],
    ['HEAD', '/api/payment-methods'],
    ['GET', '/%61pi/payment-methods'],
    ['GET', '/ap%69/catalog/internet?region=East'],
    ['GET', 'http://x/api/payment-methods'],
    ['GET', 'HTTP://evil.example:80/%61pi/orders'],
  ])('[C6] with data of a customer is kept by nobody: %s %s', async (method, target) => {
    expect(await answered(method, target)).toEqual([200, 'private, no-store', 'nosniff']);
  });

  it.each([
    ['GET', '/health/live', 200],
    ['GET', '/%68ealth/live', 200],
    ['GET', 'http://x/health/live', 200],
    ['GET', '/nowhere', 404],
    ['GET', '//api/orders', 404],
    ['GET', '/API/orders', 404],
    ['GET', 'http://x', 404],
    ['OPTIONS', '*', 404],
    ['DELETE', '/api/orders', 405],
    ['GET', '/api/orders/abc', 400],
    ['GET', '/api/orders/%E0%A4%A', 400],
    ['GET', `/api/orders/${'8'.repeat(500)}`, 414],
    ['GET', `/nowhere?${'x'.repeat(20_000)}`, 431],
    ['nonsense', '', 400],
  ])('[C6] of another kind is kept by nobody: %s %s', async (method, target, status) => {
    expect(await answered(method, target)).toEqual([status, 'no-store', 'nosniff']);
  });
});

describe('a webhook', () => {
  it.each(['/webhooks/whmcs', '/%77ebhooks/whmcs', '/webhooks/whmc%73', 'http://x/webhooks/whmcs'])(
    '[C6] has its signature checked over the bytes that came, at %s',
    async (target) => {
      const post = (body: string, signed: string) => {
        const timestamp = String(Math.floor(Date.now() / 1_000));
        const signature = signatureOf(SECRET, timestamp, Buffer.from(signed));
        const signing = `x-evergreen-timestamp: ${timestamp}\r\nx-evergreen-signature: ${signature}\r\n`;
        const length = `content-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n`;
        return rawAnswer(port, `POST ${target} HTTP/1.1\r\nhost: x\r\n${signing}${length}\r\n${body}`);
      };
      const message = `{ "id":"message-${target.replace(/\W/g, '-').padStart(30, '-')}", "clientId":11,  "event":"client.changed"}`;
      expect(await post(message, `${message} `)).toMatch(/^HTTP\/1.1 401 .*webhook-not-signed/s);
      expect(await post(message, message)).toMatch(/^HTTP\/1.1 204 /);
    },
  );
});
