import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { CallerError } from '@bff/infra/cache/cache.errors';
import { runForCaller } from '@bff/infra/callers/caller';
import { eventually } from '../../../../test/support/eventually.js';
import { HttpWhmcsClient } from './http-whmcs.client.js';
import { WhmcsError } from './whmcs.errors.js';
import type { WhmcsOptions } from './whmcs.options.js';

type Answer = (form: URLSearchParams, response: ServerResponse) => void;

const invoiceRow = (id: number): object => ({
  id,
  userid: '7',
  invoicenum: '',
  date: '2026-11-01',
  duedate: '2026-11-15',
  datepaid: '0000-00-00 00:00:00',
  subtotal: '1000.00',
  tax: '80.00',
  tax2: '20.00',
  total: '1100.00',
  status: 'Unpaid',
  currencycode: 'JPY',
});

describe('the WHMCS client', () => {
  let server: Server;
  let answer: Answer;
  let forms: URLSearchParams[];

  const json =
    (body: object, status = 200): Answer =>
    (_, response) =>
      void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

  /** Answers with these invoices in pages, like WHMCS. */
  const paged =
    (ids: readonly number[]): Answer =>
    (form, response) => {
      const start = Number(form.get('limitstart'));
      const page = ids.slice(start, start + Number(form.get('limitnum')));
      const counts = { totalresults: ids.length, startnumber: start, numreturned: page.length };
      json({ result: 'success', ...counts, invoices: { invoice: page.map(invoiceRow) } })(form, response);
    };

  function client(options: Partial<WhmcsOptions> = {}): HttpWhmcsClient {
    const { port } = server.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}/includes/api.php`;
    return new HttpWhmcsClient({ url, identifier: 'the-identifier', secret: 'the-secret', ...options });
  }

  async function failure(call: Promise<unknown>): Promise<WhmcsError> {
    const error = await call.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(WhmcsError);
    return error as WhmcsError;
  }

  beforeEach(async () => {
    forms = [];
    server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        const form = new URLSearchParams(body);
        forms.push(form);
        answer(form, response);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });

  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it('asks with the credentials in the form and reads numbers that come as text', async () => {
    answer = json({ result: 'success', totalresults: '1', invoices: { invoice: [invoiceRow(3)] } });
    const [invoice] = await client().invoices(7);
    expect(invoice).toEqual({
      id: 3,
      clientId: 7,
      invoiceNumber: '3',
      date: '2026-11-01',
      dueDate: '2026-11-15',
      datePaid: null,
      subtotal: 1000,
      tax: 100,
      total: 1100,
      status: 'Unpaid',
      currencyCode: 'JPY',
    });
    const { action, identifier, secret, responsetype, userid, order } = Object.fromEntries(forms[0] as URLSearchParams);
    expect({ action, identifier, secret, responsetype, userid, order }).toEqual({
      action: 'GetInvoices',
      identifier: 'the-identifier',
      secret: 'the-secret',
      responsetype: 'json',
      userid: '7',
      order: 'desc',
    });
  });

  it.each([
    [{}],
    [{ invoices: '' }],
    [{ invoices: { invoice: [] } }],
    [{ invoices: { invoice: '' } }],
    [{ invoices: [] }],
  ])('reads %j as no rows', async (nothing) => {
    answer = json({ result: 'success', totalresults: 0, ...nothing });
    expect(await client().invoices(7)).toEqual([]);
  });

  it('reads every page', async () => {
    answer = paged([5, 4, 3, 2, 1]);
    expect((await client({ pageSize: 2 }).invoices(7)).map(({ id }) => id)).toEqual([5, 4, 3, 2, 1]);
    expect(forms.map((form) => form.get('limitstart'))).toEqual(['0', '2', '4']);
  });

  it('[B5] reads a list again that changed between two pages', async () => {
    // Invoice 6 arrives after the first page: 4 moves to the second page, and 6 would be missed.
    answer = (form, response) => {
      paged(forms.length === 1 ? [5, 4, 3, 2] : [6, 5, 4, 3, 2])(form, response);
    };
    expect((await client({ pageSize: 2 }).invoices(7)).map(({ id }) => id)).toEqual([6, 5, 4, 3, 2]);
    // One arrives and one is removed: the total is unchanged, and one invoice is on two pages.
    forms = [];
    answer = (form, response) => {
      paged(forms.length === 1 ? [5, 4, 3, 2] : [6, 5, 4, 3])(form, response);
    };
    expect((await client({ pageSize: 2 }).invoices(7)).map(({ id }) => id)).toEqual([6, 5, 4, 3]);
  });

  it.each<[string, (page: object, start: number) => object]>([
    ['has no rows although totalresults says 3', (page) => ({ ...page, invoices: { invoice: [] } })],
    ['has no wrapper although totalresults says 3', ({ ...page }) => ({ ...page, invoices: undefined })],
    ['has an empty page before its end', (page, start) => (start < 1 ? page : { ...page, invoices: '' })],
    ['has fewer rows than numreturned says', (page) => ({ ...page, numreturned: 9 })],
    ['has more rows than totalresults says', (page) => ({ ...page, totalresults: '0' })],
    ['gives the same page always', (page) => ({ ...page, invoices: { invoice: [invoiceRow(5)] } })],
    ['answers another page than was asked for', (page) => ({ ...page, startnumber: 7 })],
    ['says another total on each page', (page, start) => ({ ...page, totalresults: 3 + start })],
  ])('[B5] refuses a list that %s, after three readings', async (_, spoil) => {
    answer = (form, response) => {
      const start = Number(form.get('limitstart'));
      const page = [invoiceRow(5), invoiceRow(4), invoiceRow(3)].slice(start, start + 1);
      json(spoil({ result: 'success', totalresults: 3, invoices: { invoice: page } }, start))(form, response);
    };
    expect(await failure(client({ pageSize: 1 }).invoices(7))).toMatchObject({
      code: 'WHMCS_INVALID_ANSWER',
      message: expect.stringMatching(/^GetInvoices answers a list that is not whole/),
    });
    expect(forms.filter((form) => form.get('limitstart') === '0')).toHaveLength(3);
  });

  it('[B5] refuses every other list that is short', async () => {
    answer = json({ result: 'success', totalresults: 1, products: { product: [] }, paymentmethods: '', clientid: '7' });
    for (const call of ['services', 'service', 'paymentMethods', 'paymentGateways'] as const) {
      expect([call, (await failure(client()[call](7, 5))).code]).toEqual([call, 'WHMCS_INVALID_ANSWER']);
    }
  });

  it('[B5] reads the flat keys of PHP', async () => {
    const flat: Record<string, unknown> = { result: 'success', totalresults: '2', numreturned: 2 };
    [3, 2].forEach((id, i) => {
      for (const [key, value] of Object.entries(invoiceRow(id))) flat[`invoices[invoice][${i}][${key}]`] = value;
    });
    answer = json(flat);
    expect((await client().invoices(7)).map(({ id, total }) => [id, total])).toEqual([
      [3, 1100],
      [2, 1100],
    ]);
    answer = json({ ...flat, invoices: { invoice: [] } });
    expect(await failure(client().invoices(7))).toMatchObject({
      code: 'WHMCS_INVALID_ANSWER',
      message: expect.stringContaining('flat keys contradict'),
    });
    const { 'invoices[invoice][0][id]': _, ...gap } = flat;
    answer = json(Object.fromEntries(Object.entries(gap).filter(([key]) => !key.includes('[0]'))));
    expect((await failure(client().invoices(7))).code).toBe('WHMCS_INVALID_ANSWER');
  });

  it('refuses a list past its bound instead of returning a part', async () => {
    answer = json({ result: 'success', totalresults: 9000, invoices: { invoice: [invoiceRow(1)] } });
    expect((await failure(client().invoices(7))).code).toBe('WHMCS_RESULT_TOO_LARGE');
    expect(forms).toHaveLength(1);
  });

  it('reads an invoice with its items, and its currency from the list', async () => {
    const { id: _, currencycode: __, ...row } = invoiceRow(3) as Record<string, unknown>;
    const items = {
      item: [{ id: '9', type: '', relid: '0', description: 'Fibre &amp; phone', amount: '1000.00', taxed: '1' }],
    };
    answer = (form, response) =>
      json(
        form.get('action') === 'GetInvoice'
          ? { result: 'success', invoiceid: '3', ...row, items, transactions: '' }
          : { result: 'success', totalresults: 1, invoices: { invoice: [invoiceRow(3)] } },
      )(form, response);
    expect(await client().invoice(7, 3)).toMatchObject({
      id: 3,
      currencyCode: 'JPY',
      items: [{ id: 9, description: 'Fibre & phone', amount: 1000 }],
    });
  });

  it('answers undefined for an invoice that does not exist', async () => {
    answer = json({ result: 'error', message: 'Invoice ID Not Found' });
    expect(await client().invoice(7, 3)).toBeUndefined();
  });

  it('does not hand out a service of another client', async () => {
    const product = {
      id: '5',
      clientid: '8',
      orderid: '1',
      name: 'SIM',
      groupname: 'Mobile',
      status: 'Active',
      billingcycle: 'Monthly',
      recurringamount: '10.00',
      regdate: '2026-01-01',
      nextduedate: '2026-12-01',
    };
    answer = json({ result: 'success', totalresults: 1, products: { product: [product] } });
    expect(await client().service(7, 5)).toBeUndefined();
    expect(await client().service(8, 5)).toMatchObject({ id: 5, clientId: 8, recurringAmount: 10 });
  });

  it('[C10] refuses a list with a row of another client, and tells nothing of the row', async () => {
    const service = { id: 5, orderid: 1, name: 'SIM', status: 'Active', billingcycle: 'Monthly', recurringamount: 1 };
    const foreign = { ...invoiceRow(2), userid: 8, invoicenum: 'foreign' };
    answer = (form, response) => {
      const answers: Record<string, object> = {
        GetInvoices: { totalresults: 2, invoices: { invoice: [invoiceRow(3), foreign] } },
        GetClientsProducts: { totalresults: 1, products: { product: [{ ...service, clientid: 8 }] } },
        GetPayMethods: { clientid: '8', paymethods: [{ id: 1, type: 'RemoteCreditCard' }] },
      };
      json({ result: 'success', ...answers[form.get('action') as string] })(form, response);
    };
    for (const call of ['invoices', 'services', 'paymentMethods'] as const) {
      const { code, message } = await failure(client()[call](7));
      expect([call, code, message]).toEqual([
        call,
        'WHMCS_INVALID_ANSWER',
        expect.stringMatching(/^the answer to \w+ holds a row of another client; it is not used$/),
      ]);
    }
  });

  it("[C4] takes another client's invoice for none, after one call", async () => {
    const { id: _, currencycode: __, ...row } = invoiceRow(3) as Record<string, unknown>;
    answer = json({ result: 'success', invoiceid: '3', ...row, userid: 8, items: '' });
    expect([await client().invoice(7, 3), forms.length]).toEqual([undefined, 1]);
    answer = json({ result: 'error', message: 'Invoice ID Not Found' });
    expect([await client().invoice(7, 4), forms.length]).toEqual([undefined, 2]);
  });

  it('reads payment methods without their tokens, and gateways', async () => {
    answer = (form, response) =>
      json(
        form.get('action') === 'GetPayMethods'
          ? {
              result: 'success',
              clientid: '7',
              paymethods: [
                {
                  id: 1,
                  type: 'RemoteCreditCard',
                  description: 'Default',
                  gateway_name: 'stripe',
                  card_last_four: '4242',
                  expiry_date: '10/28',
                  remote_token: 'tok_1',
                },
                { id: 2, type: 'BankAccount', description: 'Second', gateway_name: '', bank_name: 'B' },
              ],
            }
          : {
              result: 'success',
              totalresults: 1,
              paymentmethods: { paymentmethod: [{ module: 'stripe', displayname: 'Card' }] },
            },
      )(form, response);
    const methods = await client().paymentMethods(7);
    expect(methods.map(({ cardLastFour, expiryDate }) => [cardLastFour, expiryDate])).toEqual([
      ['4242', '10/28'],
      [null, null],
    ]);
    expect(JSON.stringify(methods)).not.toContain('tok_1');
    expect(await client().paymentGateways()).toEqual([{ module: 'stripe', displayName: 'Card' }]);
  });

  it.each([
    [403, { result: 'error', message: 'Authentication Failed' }, 'WHMCS_AUTH_FAILED', false],
    [403, { result: 'error', message: 'Invalid IP 203.0.113.9' }, 'WHMCS_AUTH_FAILED', false],
    [200, { result: 'error', message: 'Client ID Not Found' }, 'WHMCS_NOT_FOUND', false],
    [200, { result: 'error', message: 'Command Not Found' }, 'WHMCS_BAD_REQUEST', false],
    [503, { result: 'error', message: 'Down for Maintenance' }, 'WHMCS_UNAVAILABLE', true],
    [200, { result: 'success', totalresults: 1, invoices: { invoice: [{ id: 'x' }] } }, 'WHMCS_INVALID_ANSWER', false],
  ])('turns HTTP %i %j into %s', async (status, body, code, retryable) => {
    answer = json(body, status);
    const error = await failure(client().invoices(7));
    expect({ code: error.code, retryable: error.retryable }).toEqual({ code, retryable });
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toMatch(/the-secret|the-identifier/);
  });

  it.each([
    [200, 'WHMCS_INVALID_ANSWER', false],
    [404, 'WHMCS_INVALID_ANSWER', false],
    [401, 'WHMCS_AUTH_FAILED', false],
    [403, 'WHMCS_UNAVAILABLE', true],
    [429, 'WHMCS_UNAVAILABLE', true],
    [502, 'WHMCS_UNAVAILABLE', true],
  ])('[B5] calls HTML with HTTP %i %s, and quotes nothing of it', async (status, code, retryable) => {
    answer = (_, response) => void response.writeHead(status).end('<html>Attention Required</html>');
    const error = await failure(client().invoices(7));
    expect({ code: error.code, retryable: error.retryable }).toEqual({ code, retryable });
    expect(error.message).toContain(`HTTP ${status}`);
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toMatch(/html|Attention/);
  });

  it('[B5] calls a 429 in JSON retryable, too', async () => {
    answer = json({ result: 'error', message: 'Too Many Requests' }, 429);
    expect(await failure(client().invoices(7))).toMatchObject({ code: 'WHMCS_UNAVAILABLE', retryable: true });
  });

  it.each([
    ['0000-00-00'],
    ['0000-00-00 00:00:00'],
    ['0000-00-00T00:00:00+00:00'],
    ['-0001-11-30'],
    ['-0001-11-30 00:00:00'],
    ['-0001-11-30T00:00:00+00:00'],
    ['30/11/-0001'],
    ['00/00/0000'],
    ['2026-00-00'],
    [''],
    [' '],
    ['0'],
    [0],
    [null],
    [undefined],
    [false],
  ])('[B6] reads the date %j as never, wherever it stands', async (never) => {
    const service = {
      id: 5,
      clientid: 7,
      orderid: 1,
      status: 'Active',
      billingcycle: 'One Time',
      recurringamount: '0.00',
    };
    const dates = { date: never, duedate: never, datepaid: never };
    answer = (form, response) => {
      const answers: Record<string, object> = {
        GetInvoices: { totalresults: 1, invoices: { invoice: [{ ...invoiceRow(3), ...dates }] } },
        GetInvoice: { ...invoiceRow(3), invoiceid: 3, ...dates },
        GetClientsProducts: {
          totalresults: 1,
          products: { product: [{ ...service, regdate: never, nextduedate: never }] },
        },
        GetPayMethods: { paymethods: [{ id: 1, type: 'RemoteCreditCard', expiry_date: never }] },
      };
      json({ result: 'success', ...answers[form.get('action') as string] })(form, response);
    };
    const nothing = { date: null, dueDate: null, datePaid: null };
    expect(await client().invoices(7)).toMatchObject([nothing]);
    expect(await client().invoice(7, 3)).toMatchObject(nothing);
    expect(await client().services(7)).toMatchObject([{ registrationDate: null, nextDueDate: null }]);
    expect(await client().service(7, 5)).toMatchObject({ registrationDate: null, nextDueDate: null });
    if (never !== '2026-00-00') expect(await client().paymentMethods(7)).toMatchObject([{ expiryDate: null }]);
  });

  it('[B6] does not take what is no date for never', async () => {
    answer = json({
      result: 'success',
      totalresults: 1,
      invoices: { invoice: [{ ...invoiceRow(3), duedate: '11/15/2026' }] },
    });
    expect((await failure(client().invoices(7))).code).toBe('WHMCS_INVALID_ANSWER');
  });

  it('[B7] reads 200 times over connections that the server closes', async () => {
    const used = new WeakSet<object>();
    let met = 0;
    answer = (form, response) => {
      const socket = response.socket as Socket;
      if (used.has(socket)) {
        met += 1;
        socket.destroy();
        return;
      }
      used.add(socket);
      paged([3, 2])(form, response);
    };
    const whmcs = client();
    for (let i = 0; i < 200; i += 1) expect(await whmcs.invoices(7)).toHaveLength(2);
    expect(met).toBeGreaterThan(0);
  });

  it('[C9] refuses an answer past its bound, packed or not', async () => {
    const long = JSON.stringify({ result: 'success', totalresults: 0, filling: 'x'.repeat(3_000_000) });
    answer = (_, response) => void response.end(long);
    const bounded = client({ answerBytesMax: 1_000_000 });
    expect(await failure(bounded.invoices(7))).toMatchObject({
      code: 'WHMCS_RESULT_TOO_LARGE',
      message: expect.stringContaining('1000000 bytes'),
    });
    answer = (_, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(long));
    expect((await failure(bounded.invoices(7))).code).toBe('WHMCS_RESULT_TOO_LARGE');
    expect(await client().invoices(7)).toEqual([]);
  });

  it('[B8] sends its secret to no other host', async () => {
    answer = (_, response) => void response.writeHead(307, { location: 'http://localhost:9/includes/api.php' }).end();
    const error = await failure(client().invoices(7));
    expect(error).toMatchObject({ code: 'WHMCS_INVALID_ANSWER', retryable: false });
    expect(error.message).toMatch(/another host, http:\/\/localhost:9.*check that the URL/);
    expect(() => client({ url: 'http://user:pass@127.0.0.1/api.php' })).toThrow(
      /url must not hold a user or a password/,
    );
  });

  it('repeats nothing of what it sent, should WHMCS', async () => {
    answer = json({ result: 'error', message: '<b>No</b> access for the-identifier with the-secret' });
    const { message } = await failure(client().invoices(7));
    expect(message).toContain('access for [secret] with [secret]');
    expect(message).not.toContain('<b>');
  });

  it('[C7] repeats it in no other form either, and no part of it at the cut', async () => {
    const secret = 's3cr+t/of<b>14';
    const forms = [secret, encodeURIComponent(secret), btoa(secret)];
    answer = json({ result: 'error', message: `no: ${forms.join(' or ')} ${'x'.repeat(170)} ${forms.join(' or ')}` });
    const { message } = await failure(client({ secret }).invoices(7));
    expect(message).toContain('no: [secret] or [secret] or [secret]');
    expect(message).not.toMatch(/s3c|czN/);
  });

  it('ends a call whose answer never comes to its end', async () => {
    answer = (_, response) => void response.writeHead(200).write('{"result":');
    expect(await failure(client({ requestTimeoutMs: 50 }).invoices(7))).toMatchObject({
      code: 'WHMCS_TIMEOUT',
      retryable: true,
    });
  });

  it('refuses what does not fit into its queue, and takes more afterwards', async () => {
    const empty = json({ result: 'success', totalresults: 0 });
    const held = new Promise<() => void>((resolve) => {
      answer = (form, response) => resolve(() => empty(form, response));
    });
    const bounded = client({ concurrency: 1, queueMax: 1 });
    const waiting = [bounded.invoices(1), bounded.invoices(2)];
    expect(await failure(bounded.invoices(3))).toMatchObject({ code: 'WHMCS_OVERLOADED', retryable: true });
    const release = await held;
    answer = empty;
    release();
    expect(await Promise.all(waiting)).toEqual([[], []]);
    expect(await bounded.invoices(4)).toEqual([]);
  });

  it('[C2] serves accounts in turn, and refuses what does not fit into the queue of one', async () => {
    const held: (() => void)[] = [];
    const empty = json({ result: 'success', totalresults: 0 });
    answer = (form, response) => void held.push(() => empty(form, response));
    const bounded = client({ concurrency: 1, accountQueueMax: 2 });
    const ask = (account: string, id: number) =>
      runForCaller({ subject: account, account }, () => bounded.invoices(id));
    const greedy = [1, 2, 3].map((id) => ask('greedy', id));
    const refusal = await failure(ask('greedy', 4));
    expect(refusal).toMatchObject({
      code: 'WHMCS_OVERLOADED',
      message: expect.stringContaining('2 requests of the same account are waiting'),
    });
    const concerned = ['greedy', 'modest'].map((account) =>
      (refusal as unknown as CallerError).concerns({ subject: account, account }),
    );
    expect(concerned).toEqual([true, false]); // others who share its fetch make their own
    const modest = ask('modest', 7);
    for (let i = 0; i < 4; i += 1) {
      await eventually(() => held.length > 0, { what: `request ${i}` });
      held.shift()?.();
    }
    await Promise.all([...greedy, modest]);
    expect(forms.map((form) => form.get('userid'))).toEqual(['1', '7', '2', '3']);
  });

  it('[C2] passes the refusal of who may ask on as it is, before anything is sent', async () => {
    const refusal = new Error('at most so many a minute');
    const refused = client({ admit: () => Promise.reject(refusal) }).invoices(7);
    expect(await refused.catch((error: unknown) => error)).toBe(refusal);
    expect(forms).toEqual([]);
  });

  it('names every bad option and none of the secrets', () => {
    const build = (): unknown =>
      new HttpWhmcsClient({ url: 'nowhere', identifier: '', secret: 'the-secret', concurrency: 0 });
    expect(build).toThrow(/url must.*identifier must.*concurrency must/);
    expect(build).not.toThrow(/the-secret/);
  });
});
