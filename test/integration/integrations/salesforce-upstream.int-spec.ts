import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { accessToEntities } from '@bff/integrations/salesforce/events/delivery/entity-access';
import { JsforceSalesforceClient } from '@bff/integrations/salesforce/connection/jsforce-salesforce.client';
import { SalesforceConnection } from '@bff/integrations/salesforce/connection/salesforce-connection';
import { SalesforceError } from '@bff/integrations/salesforce/salesforce.errors';
import { soql } from '@bff/integrations/salesforce/soql';
import { type Answer, json, RestDouble } from './rest-double.js';
import { eventually } from '../../support/eventually.js';

const GOOD = soql`SELECT Id FROM Order`;
const BAD = soql`SELECT Id FROM Poison`;
const ONE_ORDER = { totalSize: 1, done: true, records: [{ Id: '801xx0000000001AAA' }] };
const CALL = { method: 'POST', path: '/sobjects/Order', referenceId: 'order' } as const;
const PLACED = { compositeResponse: [{ body: { id: '801' }, httpStatusCode: 201, referenceId: 'order' }] };
const REJECTED = json([{ message: 'Session expired or invalid', errorCode: 'INVALID_SESSION_ID' }], 401);

describe('Salesforce that answers otherwise than it should', () => {
  let salesforce: RestDouble;
  let credentials: { loginUrl: string; clientId: string; clientSecret: string };

  const newClient = (options: object = {}): JsforceSalesforceClient =>
    new JsforceSalesforceClient(new SalesforceConnection({ ...credentials, ...options }));

  async function failure(call: Promise<unknown>): Promise<SalesforceError> {
    const error = await call.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(SalesforceError);
    return error as SalesforceError;
  }

  beforeEach(async () => {
    salesforce = await RestDouble.start();
    salesforce.answer = json(ONE_ORDER);
    credentials = { loginUrl: salesforce.url, clientId: 'the-client', clientSecret: 'the-secret' };
  });

  afterEach(() => salesforce.stop());

  describe('[B4] one query is always answered 401 while others are accepted', () => {
    beforeEach(() => {
      salesforce.answer = (exchange, response) =>
        (exchange.path.includes('Poison') ? REJECTED : json(ONE_ORDER))(exchange, response);
    });

    it('signs in once more for it, and then tells its caller', async () => {
      const client = newClient({ requestTimeoutMs: 3_000 });
      let isDone = false;
      const bad = failure(client.query(BAD)).finally(() => (isDone = true));
      while (!isDone) await client.query(GOOD);
      expect(await bad).toMatchObject({ code: 'SALESFORCE_AUTH_FAILED', retryable: false });
      expect((await bad).message).toMatch(/rejects tokens that it has just issued/);
      expect(salesforce.grants).toHaveLength(2);
    });

    it('does not sign in for each of those who ask for it, and lets the others be', async () => {
      const client = newClient({ requestTimeoutMs: 3_000 });
      const bad = Promise.all(Array.from({ length: 30 }, () => failure(client.query(BAD))));
      for (let i = 0; i < 30; i += 1) expect(await client.query(GOOD)).toHaveLength(1);
      expect(new Set((await bad).map(({ code }) => code))).toEqual(new Set(['SALESFORCE_AUTH_FAILED']));
      const signIns = salesforce.grants.length;
      expect(signIns).toBeLessThanOrEqual(4); // the first, two replacements at once, and one a second later
      for (let i = 0; i < 30; i += 1) await client.query(GOOD);
      expect(salesforce.grants).toHaveLength(signIns);
    });

    it('does not sign in when nobody waits any more', async () => {
      let release: (() => void) | undefined;
      salesforce.answer = (exchange, response) => {
        if (!exchange.path.includes('Poison')) return json(ONE_ORDER)(exchange, response);
        release = () => REJECTED(exchange, response);
      };
      const client = newClient({ concurrency: 1 });
      const giveUp = new AbortController();
      const bad = failure(client.query(BAD, { signal: giveUp.signal }));
      await eventually(() => release !== undefined, { what: 'it is under way', withinMs: 8_000 });
      giveUp.abort();
      expect((await bad).code).toBe('SALESFORCE_ABORTED');
      release?.();
      await client.query(GOOD); // gets the only place when the other has ended
      expect(salesforce.grants).toHaveLength(1);
    });
  });

  it('[B4] does not sign in for each request while the token endpoint fails, and is quick when it is back', async () => {
    salesforce.answerToken = json({ error: 'server_error' }, 503);
    const client = newClient();
    const until = Date.now() + 1_000;
    let requests = 0;
    for (; Date.now() < until; requests += 1) {
      expect((await failure(client.query(GOOD))).code).toBe('SALESFORCE_UNAVAILABLE');
    }
    expect(requests).toBeGreaterThan(20);
    expect(salesforce.grants.length).toBeLessThanOrEqual(4);
    salesforce.answerToken = undefined;
    const back = Date.now();
    while (salesforce.exchanges.length === 0 && Date.now() < back + 10_000) await client.query(GOOD).catch(() => []);
    expect(Date.now() - back).toBeLessThan(5_000);
  });

  it('[B4] does not repeat a refused sign-in for each request', async () => {
    salesforce.answerToken = json({ error: 'invalid_client', error_description: 'invalid client credentials' }, 400);
    const client = newClient();
    for (let i = 0; i < 20; i += 1) expect((await failure(client.query(GOOD))).code).toBe('SALESFORCE_AUTH_FAILED');
    expect(salesforce.grants.length).toBeLessThanOrEqual(4); // on a slow machine: the first, and after 1, 2 and 4 s
    salesforce.answerToken = undefined;
    const deadline = Date.now() + 20_000;
    let rows: unknown[] = [];
    while (rows.length === 0 && Date.now() < deadline) rows = await client.query(GOOD).catch(() => []);
    expect(rows).toHaveLength(1);
  });

  it.each<[string, object]>([
    ['fewer records than totalSize says', { totalSize: 3, done: true, records: [{ Id: 'a' }] }],
    ['none although totalSize says 3', { totalSize: 3, done: true, records: [] }],
    ['more records than totalSize says', { totalSize: 1, done: true, records: [{ Id: 'a' }, { Id: 'b' }] }],
    ['no totalSize', { done: true, records: [{ Id: 'a' }] }],
    ['an unfinished page without a next one', { totalSize: 1, done: false, records: [{ Id: 'a' }] }],
    [
      'a child result that is short',
      {
        totalSize: 1,
        done: true,
        records: [{ Id: 'a', OrderItems: { totalSize: 2, done: true, records: [{ Id: 'i' }] } }],
      },
    ],
    [
      'a child result that does not say whether it is all',
      { totalSize: 1, done: true, records: [{ Id: 'a', OrderItems: { totalSize: 1, records: [{ Id: 'i' }] } }] },
    ],
    [
      'a child result without records',
      { totalSize: 1, done: true, records: [{ Id: 'a', OrderItems: { totalSize: 2 } }] },
    ],
  ])('[B5] refuses a result with %s', async (_, body) => {
    salesforce.answer = json(body);
    expect(await failure(newClient().query(GOOD))).toMatchObject({
      code: 'SALESFORCE_UNAVAILABLE',
      message: expect.stringContaining('unexpected form'),
    });
  });

  it('[B5] takes a composite answer that leaves a call out for no answer', async () => {
    salesforce.answer = json(PLACED);
    const calls = [CALL, { ...CALL, referenceId: 'item' }];
    expect((await failure(newClient().composite(calls))).code).toBe('SALESFORCE_UNAVAILABLE');
  });

  describe('[B7] kept connections are closed by the server', () => {
    let met: number;

    /** Answers the first request on each connection; at the second one, closes the connection without an answer. */
    const closing = (answer: Answer): Answer => {
      const used = new WeakSet<Socket>();
      return (exchange, response) => {
        const socket = response.socket as Socket;
        if (!used.has(socket)) {
          used.add(socket);
          return answer(exchange, response);
        }
        met += 1;
        socket.destroy();
      };
    };

    beforeEach(() => {
      met = 0;
      salesforce.answer = closing(json(ONE_ORDER));
    });

    it('and no read of 200 fails, four at a time', async () => {
      const client = newClient();
      for (let i = 0; i < 50; i += 1) {
        const answers = await Promise.all([1, 2, 3, 4].map(() => client.query(GOOD)));
        expect(answers.map(({ length }) => length)).toEqual([1, 1, 1, 1]);
      }
      expect(met).toBeGreaterThan(50);
    });

    it('and no write meets one', async () => {
      const client = newClient();
      await Promise.all([1, 2, 3].map(() => client.query(GOOD)));
      salesforce.answer = closing(json(PLACED));
      for (let i = 0; i < 5; i += 1) expect(await client.composite([CALL])).toEqual([{ id: '801' }]);
      expect(met).toBe(0);
    });

    it('and no write is repeated', async () => {
      salesforce.answer = (_, response) => void response.socket?.destroy();
      expect((await failure(newClient().composite([CALL]))).code).toBe('SALESFORCE_UNAVAILABLE');
      expect(salesforce.exchanges).toHaveLength(1);
    });
  });

  describe('[B8] an answer leads to another host', () => {
    let other: Server;
    let otherUrl: string;
    let heard: number;

    beforeEach(async () => {
      heard = 0;
      other = createServer((_, response) => void response.end(JSON.stringify(ONE_ORDER)));
      other.on('connection', () => (heard += 1));
      await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
      otherUrl = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    });

    afterEach(async () => {
      expect(heard).toBe(0);
      other.closeAllConnections();
      await new Promise((resolve) => other.close(resolve));
    });

    const away = (status: number): Answer => {
      return (_, response) =>
        void response.writeHead(status, { location: `${otherUrl}/x?a=b` }).end('<html>moved</html>');
    };

    it.each([301, 302, 303, 307, 308])('by a redirect %i: nothing is sent there', async (status) => {
      salesforce.answer = away(status);
      const client = newClient();
      for (const call of [client.query(GOOD), client.composite([CALL]), client.picklist('Order', 'Status')]) {
        const error = await failure(call);
        expect(error.code).toBe('SALESFORCE_UNAVAILABLE');
        expect(error.message).toMatch(/redirects.*check SF_LOGIN_URL/);
        expect(error.message).not.toContain('a=b');
      }
      const access = await accessToEntities(['Order'], new SalesforceConnection(credentials));
      expect(access.get('Order')).toBe('unknown');
    });

    it('by a redirect of the sign-in', async () => {
      salesforce.answerToken = away(307);
      expect((await failure(newClient().query(GOOD))).code).toBe('SALESFORCE_UNAVAILABLE');
    });

    it('by nextRecordsUrl', async () => {
      const next = `${otherUrl}/services/data/v67.0/query/01g-2000`;
      salesforce.answer = json({ totalSize: 2, done: false, nextRecordsUrl: next, records: [{ Id: 'a' }] });
      expect((await failure(newClient().query(GOOD))).code).toBe('SALESFORCE_UNAVAILABLE');
    });

    it.each(['https://thief.example', 'https://salesforce.com.thief.example', 'http://acme.my.salesforce.com', 'x'])(
      'as its instance_url %s',
      async (instance) => {
        const id = `${salesforce.url}/id/00Dxx0000000001EAA/005xx0000000001AAA`;
        salesforce.answerToken = json({ access_token: '00Dxx0000000001!T', instance_url: instance, id });
        const error = await failure(newClient({ requestTimeoutMs: 2_000 }).query(GOOD));
        expect(error.code).toBe('SALESFORCE_UNAVAILABLE');
        expect(error.message).toMatch(/names an instance that is neither Salesforce's/);
      },
    );

    it('within its own host a read follows, three times at most', async () => {
      salesforce.answer = (exchange, response) => {
        const location = '/services/data/v67.0/there';
        if (!exchange.path.endsWith('/there')) return void response.writeHead(302, { location }).end();
        json(ONE_ORDER)(exchange, response);
      };
      expect(await newClient().query(GOOD)).toHaveLength(1);
      salesforce.answer = (exchange, response) => void response.writeHead(302, { location: exchange.path }).end();
      expect((await failure(newClient().query(GOOD))).code).toBe('SALESFORCE_UNAVAILABLE');
      expect(salesforce.exchanges).toHaveLength(2 + 4);
    });
  });

  const html =
    (status: number): Answer =>
    (_, response) =>
      void response
        .writeHead(status, { 'content-type': 'text/html' })
        .end('<html><body>Down for <b>you</b></body></html>');

  it.each<[string, Answer, string]>([
    ['200 and HTML', html(200), 'SALESFORCE_UNAVAILABLE'],
    ['403 and HTML', html(403), 'SALESFORCE_UNAVAILABLE'],
    ['404 and HTML', html(404), 'SALESFORCE_UNAVAILABLE'],
    ['429 and HTML', html(429), 'SALESFORCE_LIMIT_EXCEEDED'],
    ['503 and HTML', html(503), 'SALESFORCE_UNAVAILABLE'],
    ['200 and nothing', json(undefined), 'SALESFORCE_UNAVAILABLE'],
    ['200 and null', json(null), 'SALESFORCE_UNAVAILABLE'],
    ['200 and an empty object', json({}), 'SALESFORCE_UNAVAILABLE'],
    ['200 and a token that is no text', json({ access_token: 1 }), 'SALESFORCE_UNAVAILABLE'],
    [
      '400 and a description of HTML',
      json({ error: 'invalid_grant', error_description: '<p>no' }, 400),
      'SALESFORCE_AUTH_FAILED',
    ],
    ['200 and more than a token takes', json({ access_token: 'x'.repeat(100_000) }), 'SALESFORCE_RESULT_TOO_LARGE'],
  ])('[B11] says what is wrong with a sign-in answered with %s', async (_, answer, code) => {
    salesforce.answerToken = answer;
    const error = await failure(newClient().query(GOOD));
    expect(error.code).toBe(code);
    expect(error.message).toContain(`sign-in at ${salesforce.url} `);
    expect(error.message).not.toMatch(/Cannot read|<|Down for|xxxx|the-secret/);
  });

  it.each([
    [401, 'SALESFORCE_AUTH_FAILED'],
    [403, 'SALESFORCE_UNAVAILABLE'],
    [404, 'SALESFORCE_UNAVAILABLE'],
    [429, 'SALESFORCE_LIMIT_EXCEEDED'],
    [502, 'SALESFORCE_UNAVAILABLE'],
  ])('[B11] quotes no HTML of an answer with HTTP %i', async (status, code) => {
    salesforce.answer = html(status);
    const error = await failure(newClient().query(GOOD));
    expect(error.code).toBe(code);
    expect(error.message).not.toMatch(/<|Down for/);
  });

  it('[B11] takes no address that holds a password', () => {
    expect(() => newClient({ loginUrl: 'https://user:pass@login.salesforce.com' })).toThrow(
      expect.objectContaining({ code: 'SALESFORCE_INVALID_OPTION', message: expect.not.stringContaining('pass@') }),
    );
  });

  it('[C9] refuses an answer past its bound; of a write it is not known what came of it', async () => {
    salesforce.answer = json({ ...ONE_ORDER, filling: 'x'.repeat(2_000_000) });
    const client = newClient({ answerBytesMax: 1_000_000 });
    expect((await failure(client.query(GOOD))).code).toBe('SALESFORCE_RESULT_TOO_LARGE');
    expect((await failure(client.composite([CALL]))).code).toBe('SALESFORCE_UNAVAILABLE');
    expect(salesforce.exchanges).toHaveLength(2);
  });
});
