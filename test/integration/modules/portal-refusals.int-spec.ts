import { createHmac } from 'node:crypto';
import { connect, type AddressInfo } from 'node:net';
import { Pseudonyms } from '@bff/infra/callers/pseudonyms';
import { SalesforceError } from '@bff/integrations/salesforce/salesforce.errors';
import { Audit } from '@bff/infra/logging/audit';
import { LINES_MAX } from '@bff/infra/logging/line-budget';
import { RequestLines } from '@bff/infra/logging/request-lines';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { TokenVerifier } from '../../../apps/bff/src/auth/token-verifier.js';
import { EventStreams } from '../../../apps/bff/src/events/event-streams.js';
import { problem, ProblemError } from '../../../apps/bff/src/problems/problem.js';
import { eventually } from '../../support/eventually.js';
import { Portal } from './support/portal.js';
import { IDS } from './support/recorded-org.js';

const SECRET = 'a-secret-of-at-least-32-characters';
const OPERATOR = 'o'.repeat(40);
/** Neither this machine nor an operator's. */
const STRANGER = '203.0.113.9';

type Line = Record<string, unknown> & { readonly level: number; readonly msg: string };

/** One for all tests: the logger of a process is that of its first application. */
let portal: Portal;
const written: string[] = [];
const lines = () => written.map((line) => JSON.parse(line) as Line);
const audits = () => lines().filter(({ audit }) => audit !== undefined);
/** What requests cause at `warn` and above. */
const warnings = () =>
  lines().filter(({ level, requestId, leftOut }) => level >= 40 && (requestId ?? leftOut) !== undefined);

beforeAll(async () => {
  const env = { LOG_LEVEL: 'info', OPERATOR_TOKEN: OPERATOR, WHMCS_WEBHOOK_SECRET: SECRET, LIMIT_REQUESTS: '30/60' };
  const streams = { SSE_STREAMS_MAX: '3', SSE_STREAMS_PER_ACCOUNT_MAX: '2' };
  portal = await Portal.open({ ...env, ...streams }, { write: (line) => void written.push(line) });
});
afterAll(() => portal.close());
beforeEach(() => {
  endMinute();
  written.length = 0;
});

/** Does what the end of a minute does: writes the counts of what was left out, and begins another minute. */
function endMinute(): void {
  for (const part of [portal.app.get(Audit), portal.app.get(RequestLines)]) {
    part.onApplicationShutdown();
    part.onModuleInit();
  }
}

const asStranger = (url: string, headers = {}) =>
  portal.app.inject({ method: 'GET', url, remoteAddress: STRANGER, headers });
const subjectOf = (user: string) => portal.app.get(Pseudonyms).of('subject', user);
const times = <T>(count: number, ask: () => Promise<T>) => Promise.all(Array.from({ length: count }, ask));

describe('[C7] one line of the audit, with the route and the status, and no other', () => {
  it('tells of each one who is no operator, and whether a token was tried', async () => {
    await asStranger('/health/sf-events');
    await asStranger('/health/orders/cache', { authorization: `Bearer ${'x'.repeat(40)}` });
    expect((await asStranger('/health/sf-events', { authorization: `Bearer ${OPERATOR}` })).statusCode).not.toBe(401);
    endMinute();
    expect(warnings()).toEqual([
      expect.objectContaining({
        audit: 'operator.denied',
        reason: 'no token',
        route: 'GET /health/sf-events',
        status: 401,
      }),
      expect.objectContaining({
        audit: 'operator.denied',
        reason: 'not the token of an operator',
        route: 'GET /health/:domain/cache',
      }),
    ]);
    expect(written.join()).not.toContain('xxxx');
  });

  it('tells of each bound of streams, with the caller', async () => {
    const streams = portal.app.get(EventStreams);
    const outlet = { write: () => undefined, bufferedBytes: 0, end: () => Promise.resolve() };
    const add = (account: string) =>
      streams.add(
        { account, audiences: [], expiresAt: Date.now() + 60_000, isStillAllowed: () => Promise.resolve(true) },
        outlet,
        undefined,
      );
    await eventually(async () => (await head('alice')) === 200, { what: 'streams can be opened' });
    add(IDS.alice);
    add(IDS.alice);
    expect(await head('alice')).toBe(429);
    add(IDS.bob);
    expect(await head('bob')).toBe(503);
    expect(audits()).toEqual([
      expect.objectContaining({ audit: 'limit.reached', limit: 'too-many-streams', subject: subjectOf('alice') }),
      expect.objectContaining({ audit: 'limit.reached', limit: 'event-streams-full', subject: subjectOf('bob') }),
    ]);
  });

  const head = async (user: string) => {
    const authorization = `Bearer ${await portal.issuer.token(user)}`;
    return (await portal.app.inject({ method: 'HEAD', url: '/api/events', headers: { authorization } })).statusCode;
  };

  it('tells of each queue that is full, and of the reserve', async () => {
    await portal.get('alice', '/api/catalog/eligibility'); // fetches the account of alice
    for (const code of ['SALESFORCE_OVERLOADED', 'SALESFORCE_QUOTA_RESERVED', 'SALESFORCE_LIMIT_EXCEEDED'] as const) {
      portal.org.failure = new SalesforceError(code, 'all of the same account wait');
      expect((await portal.get('alice', '/api/orders')).statusCode).toBe(503);
    }
    portal.org.failure = undefined;
    endMinute();
    const told = (limit: string) => ({ level: 40, audit: 'limit.reached', limit, why: 'all of the same account wait' });
    expect(warnings()).toEqual([
      expect.objectContaining(told('SALESFORCE_OVERLOADED')),
      expect.objectContaining(told('SALESFORCE_QUOTA_RESERVED')),
      expect.objectContaining({ ...told('SALESFORCE_LIMIT_EXCEEDED'), route: 'GET /api/orders', status: 503 }),
    ]);
  });

  it('tells of a message of WHMCS that is not signed, and of one that came before', async () => {
    const payload = JSON.stringify({ id: 'message-1', event: 'client.changed', clientId: 11 });
    const timestamp = String(Math.floor(Date.now() / 1_000));
    const signature = (secret: string) =>
      `v1=${createHmac('sha256', secret).update(`${timestamp}.${payload}`).digest('hex')}`;
    const send = async (secret: string) => {
      const signed = { 'x-evergreen-timestamp': timestamp, 'x-evergreen-signature': signature(secret) };
      const headers = { 'content-type': 'application/json', ...signed };
      return (await portal.app.inject({ method: 'POST', url: '/webhooks/whmcs', headers, payload })).statusCode;
    };
    expect([await send(`${SECRET}x`), await send(SECRET), await send(SECRET)]).toEqual([401, 204, 409]);
    endMinute();
    expect([...audits(), ...warnings().filter(({ audit }) => audit === undefined)]).toEqual([
      expect.objectContaining({ audit: 'webhook.refused', reason: 'the signature does not fit', status: 401 }),
      expect.objectContaining({ audit: 'webhook.applied', message: 'message-1' }),
      expect.objectContaining({ audit: 'webhook.refused', reason: 'taken before', status: 409 }),
    ]);
  });
});

describe('[C7] [C8] the log stays short', () => {
  it('when somebody without a token asks a thousand times: one line more says how often', async () => {
    await times(500, () => portal.anonymous('/api/orders'));
    await times(500, () => portal.anonymous('/api/orders', { authorization: 'Bearer x' }));
    endMinute();
    expect(audits()).toHaveLength(LINES_MAX + 1);
    expect(audits().at(-1)).toMatchObject({
      level: 40,
      audit: 'access.denied',
      leftOut: 1_000 - LINES_MAX,
      reasons: { 'no token': 500 - LINES_MAX, 'it is not a signed JWT': 500 },
      from: expect.any(String),
      to: expect.any(String),
    });
    expect(audits().at(-1)).not.toHaveProperty('requestId');
    expect(warnings()).toHaveLength(LINES_MAX + 1);
  });

  it.each([
    ['a token of operators is guessed', () => asStranger('/health/sf-events', { authorization: 'Bearer x' })],
    ['addresses are tried', () => portal.anonymous('/admin')],
    ['methods are tried', () => portal.app.inject({ method: 'DELETE', url: '/api/orders' })],
    ['methods are asked for', () => portal.app.inject({ method: 'OPTIONS', url: '/api/orders' })],
    ['messages of WHMCS are made up', () => portal.app.inject({ method: 'POST', url: '/webhooks/whmcs' })],
  ])('when %s', async (_, ask) => {
    await times(200, ask);
    endMinute();
    const caused = lines().filter(({ msg, requestId }) => requestId !== undefined || msg.includes('left out'));
    expect(caused).toHaveLength(LINES_MAX + 1);
    expect(caused.at(-1)).toMatchObject({ level: 40, leftOut: 200 - LINES_MAX });
  });

  it('when somebody sends what no route can be looked for, or what is no request', async () => {
    await portal.app.listen(0, '127.0.0.1');
    const { port } = portal.app.getHttpServer().address() as AddressInfo;
    const answer = (text: string) =>
      new Promise<string>((resolve) => {
        let got = '';
        const socket = connect(port, '127.0.0.1', () => socket.end(text));
        socket.on('data', (data) => (got += String(data))).once('close', () => resolve(got));
      });
    for (const text of ['GET /%zz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', 'rubbish\r\n\r\n']) {
      written.length = 0;
      const answers = await times(LINES_MAX + 30, () => answer(text));
      expect(answers.filter((got) => got.startsWith('HTTP/1.1 400'))).toHaveLength(LINES_MAX + 30);
      endMinute();
      const [last, ...others] = warnings().reverse();
      expect(others).toHaveLength(LINES_MAX);
      expect(last).toMatchObject({ leftOut: 30, lines: expect.stringMatching(/^un(routed|readable) 400$/) });
    }
  });

  it('when a customer goes on after a limit, and another customer’s lines are all there', async () => {
    const statuses = await times(100, async () => (await portal.get('alice', '/api/orders')).statusCode);
    await times(31, () => portal.get('bob', '/api/orders'));
    const refused = statuses.filter((status) => status === 429).length;
    const [alice, bob] = [subjectOf('alice'), subjectOf('bob')];
    endMinute();
    const of = (subject: string) => audits().filter((line) => line['subject'] === subject);
    expect(of(bob).length).toBeGreaterThan(0);
    expect(of(bob)[0]).toMatchObject({ audit: 'rate.limited', policy: 'request', status: 429 });
    expect(refused).toBeGreaterThanOrEqual(70);
    expect(of(alice)).toHaveLength(LINES_MAX + 1);
    expect(of(alice).at(-1)).toMatchObject({ leftOut: refused - LINES_MAX, reasons: { request: refused - LINES_MAX } });
    expect(lines().filter(({ msg }) => msg.includes(' 429 in '))).toEqual([]);
  });

  it('when the issuer is away and tokens cannot be judged; the end of the process tells the rest', async () => {
    const unjudged = new ProblemError(problem(503, 'keys-unavailable', 'Tokens cannot be checked'));
    jest.spyOn(portal.app.get(TokenVerifier), 'subject').mockRejectedValue(unjudged);
    const answers = await times(200, () => portal.anonymous('/api/orders', { authorization: 'Bearer x.y.z' }));
    expect(new Set(answers.map(({ statusCode }) => statusCode))).toEqual(new Set([503]));
    await portal.app.close();
    const counted = lines().filter(({ leftOut }) => leftOut !== undefined);
    expect(counted.map(({ lines: what, leftOut }) => [what, leftOut])).toEqual([
      ['answered 503 urn:evergreen:problem:keys-unavailable', 200 - LINES_MAX],
      ['503', 200 - LINES_MAX],
    ]);
    expect(lines().filter(({ msg }) => /^answered 503| 503 in /.test(msg))).toHaveLength(2 * LINES_MAX);
  });
});
