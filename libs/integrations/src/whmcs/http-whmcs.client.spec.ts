import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
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

  it('reads every page, and a row that moved between two pages once', async () => {
    const pages: Record<string, number[]> = { '0': [5, 4], '2': [4, 3], '4': [2] };
    answer = (form, response) =>
      json({
        result: 'success',
        totalresults: 5,
        invoices: { invoice: (pages[form.get('limitstart') as string] ?? []).map(invoiceRow) },
      })(form, response);
    const invoices = await client({ pageSize: 2 }).invoices(7);
    expect(invoices.map(({ id }) => id)).toEqual([5, 4, 3, 2]);
    expect(forms).toHaveLength(3);
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
    expect(await client().invoice(3)).toMatchObject({
      id: 3,
      currencyCode: 'JPY',
      items: [{ id: 9, description: 'Fibre & phone', amount: 1000 }],
    });
  });

  it('answers undefined for an invoice that does not exist', async () => {
    answer = json({ result: 'error', message: 'Invoice ID Not Found' });
    expect(await client().invoice(3)).toBeUndefined();
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

  it('calls a page of HTML an invalid answer, or unavailable when the server failed', async () => {
    answer = (_, response) => void response.writeHead(200).end('<html>');
    expect((await failure(client().invoices(7))).code).toBe('WHMCS_INVALID_ANSWER');
    answer = (_, response) => void response.writeHead(502).end('<html>');
    expect((await failure(client().invoices(7))).code).toBe('WHMCS_UNAVAILABLE');
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

  it('names every bad option and none of the secrets', () => {
    const build = (): unknown =>
      new HttpWhmcsClient({ url: 'nowhere', identifier: '', secret: 'the-secret', concurrency: 0 });
    expect(build).toThrow(/url must.*identifier must.*concurrency must/);
    expect(build).not.toThrow(/the-secret/);
  });
});
