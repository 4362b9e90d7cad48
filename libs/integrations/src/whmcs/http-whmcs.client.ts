import { BoundedHttp } from '@bff/infra/http/bounded-http';
import { HttpFaultError } from '@bff/infra/http/http-fault';
import { jsonOf } from '@bff/infra/http/json-body';
import { Masking } from '@bff/infra/logging/masking';
import { ofAccount } from '@bff/infra/sources/sources.errors';
import { type CallRecord, SourceCalls } from '@bff/infra/sources/source-calls';
import { SourceGate } from '@bff/infra/sources/source-gate';
import { currentCaller } from '@bff/infra/callers/caller';
import { QueueFullError } from '@bff/infra/process/fair-queue.errors';
import { z } from 'zod';
import { withoutFlatKeys } from './flat-keys.js';
import { GATEWAYS, INVOICE, INVOICES, PAY_METHODS, SERVICES } from './whmcs-answers.js';
import { WhmcsClient } from './whmcs.client.js';
import { errorOfAnswer, errorOfFault, errorOfForeignAnswer, verdictOn, WhmcsError } from './whmcs.errors.js';
import { type ResolvedWhmcsOptions, resolveWhmcsOptions, type WhmcsOptions } from './whmcs.options.js';
import type {
  WhmcsInvoice,
  WhmcsInvoiceDetail,
  WhmcsPaymentGateway,
  WhmcsPaymentMethod,
  WhmcsService,
} from './whmcs.types.js';
import { type WhmcsPage, wholeList } from './whole-list.js';

const ANSWER = z.looseObject({ result: z.string(), message: z.string().optional() });

type Parameters = Readonly<Record<string, string | number>>;

/**
 * WHMCS over its HTTP API. Every rejection is a `WhmcsError`, except that of `admit`; every answer is checked against a
 * schema.
 */
export class HttpWhmcsClient extends WhmcsClient {
  private readonly options: ResolvedWhmcsOptions;
  private readonly gate: SourceGate;
  private readonly calls = new SourceCalls(verdictOn);
  private readonly http = new BoundedHttp();
  /** Knows the credentials, in case WHMCS repeats the request. */
  private readonly masking: Masking;
  private isClosed = false;

  constructor(options: WhmcsOptions) {
    super();
    this.options = resolveWhmcsOptions(options);
    this.masking = new Masking([this.options.secret, this.options.identifier]);
    const { concurrency, accountSharePercent, accountQueueMax, queueMax, admit } = this.options;
    const slots = { slots: concurrency, writeSlots: 0, sharePercent: accountSharePercent };
    this.gate = new SourceGate({ ...slots, accountQueueMax, queueMax }, admit, undefined, this.calls);
  }

  async invoices(clientId: number): Promise<WhmcsInvoice[]> {
    const invoices = await this.list('GetInvoices', { userid: clientId, orderby: 'date', order: 'desc' }, INVOICES);
    return ofClient(clientId, 'GetInvoices', invoices);
  }

  async invoice(clientId: number, invoiceId: number): Promise<WhmcsInvoiceDetail | undefined> {
    const invoice = await undefinedIfNotFound(this.call('GetInvoice', { invoiceid: invoiceId }, INVOICE));
    if (invoice?.clientId !== clientId || invoice.id !== invoiceId) return undefined;
    if (invoice.currencyCode !== '') return invoice;
    // A client has one currency; the list states it.
    const parameters = { userid: clientId, limitstart: 0, limitnum: 1 };
    const { rows, totalresults } = await this.call('GetInvoices', parameters, INVOICES);
    if (rows.length === 0 && totalresults > 0) {
      throw new WhmcsError('WHMCS_INVALID_ANSWER', `GetInvoices says ${totalresults} rows, and gives none`);
    }
    const [newest] = ofClient(clientId, 'GetInvoices', rows);
    return { ...invoice, currencyCode: newest?.currencyCode ?? '' };
  }

  async services(clientId: number): Promise<WhmcsService[]> {
    const services = await this.list('GetClientsProducts', { clientid: clientId }, SERVICES);
    return ofClient(clientId, 'GetClientsProducts', services);
  }

  async service(clientId: number, serviceId: number): Promise<WhmcsService | undefined> {
    const parameters = { clientid: clientId, serviceid: serviceId };
    const services = await undefinedIfNotFound(this.list('GetClientsProducts', parameters, SERVICES));
    return services?.find(({ id, clientId: owner }) => id === serviceId && owner === clientId);
  }

  async paymentMethods(clientId: number): Promise<WhmcsPaymentMethod[]> {
    const { clientid, paymethods } = await this.call('GetPayMethods', { clientid: clientId }, PAY_METHODS);
    if (clientid !== undefined && clientid !== clientId) throw foreignRow('GetPayMethods');
    return paymethods;
  }

  async paymentGateways(): Promise<WhmcsPaymentGateway[]> {
    const { rows, totalresults } = await this.call('GetPaymentMethods', {}, GATEWAYS);
    if (rows.length === totalresults) return [...rows];
    const text = `GetPaymentMethods says ${totalresults} rows, and gives ${rows.length}`;
    throw new WhmcsError('WHMCS_INVALID_ANSWER', text);
  }

  callRecord(): CallRecord {
    return this.calls.record;
  }

  /**
   * Refuses new requests from now on, also those for further pages of a list under way; requests under way end by
   * themselves, within their time-out.
   */
  close(): void {
    this.isClosed = true;
    this.http.close();
  }

  private list<Row extends { readonly id: number }>(
    action: string,
    parameters: Parameters,
    schema: z.ZodType<WhmcsPage<Row>>,
  ): Promise<Row[]> {
    const { pageSize, rowCountMax } = this.options;
    return wholeList(action, rowCountMax, (limitstart) =>
      this.call(action, { ...parameters, limitstart, limitnum: pageSize }, schema),
    );
  }

  private async call<Schema extends z.ZodType>(
    action: string,
    parameters: Parameters,
    schema: Schema,
  ): Promise<z.output<Schema>> {
    if (this.isClosed) throw new WhmcsError('WHMCS_CLOSED', `${action}: the WHMCS client is closed`);
    return this.inTurn(action, async () => {
      const parsed = schema.safeParse(await this.post(action, parameters));
      if (!parsed.success) throw invalidAnswer(action, z.prettifyError(parsed.error), parsed.error);
      return parsed.data;
    });
  }

  /** Runs the work when it is the turn of the caller's account. Every action of this client only reads. */
  private async inTurn<T>(action: string, work: () => Promise<T>): Promise<T> {
    try {
      return await this.gate.pass({ kind: 'read' }, work);
    } catch (error) {
      if (!(error instanceof QueueFullError)) throw error;
      const overloaded = new WhmcsError('WHMCS_OVERLOADED', `${action} was refused: ${error.message}`, {
        cause: error,
      });
      throw error.bound === 'account' ? ofAccount(overloaded, currentCaller()) : overloaded;
    }
  }

  /** Returns the answer, with nested values, if it says `result: success`; throws otherwise. */
  private async post(action: string, parameters: Parameters): Promise<unknown> {
    const { status, json } = await this.exchange(action, parameters);
    const answer = ANSWER.safeParse(json);
    if (!answer.success) {
      // Without a result, JSON with a status below 400 comes from WHMCS, or from a server that reports a failure as
      // success.
      if (status >= 400 || json === undefined) throw errorOfForeignAnswer(action, status);
      throw invalidAnswer(action, 'it has no result', answer.error);
    }
    if (answer.data.result !== 'success' || status >= 400) {
      const message = answer.data.message ?? `HTTP ${status}, result ${answer.data.result}`;
      throw errorOfAnswer(action, status, message, this.masking);
    }
    const nested = withoutFlatKeys(answer.data);
    if (nested === undefined) throw invalidAnswer(action, 'its flat keys contradict each other', undefined);
    return nested;
  }

  private async exchange(action: string, parameters: Parameters): Promise<{ status: number; json: unknown }> {
    const { url, identifier, secret, requestTimeoutMs, answerBytesMax } = this.options;
    const form = new URLSearchParams({ action, identifier, secret, responsetype: 'json' });
    for (const [name, value] of Object.entries(parameters)) form.set(name, String(value));
    try {
      const answer = await this.http.ask({
        url,
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded;charset=UTF-8' },
        body: form.toString(),
        isRead: true, // every action of this client only reads
        timeoutMs: requestTimeoutMs,
        bytesMax: answerBytesMax,
      });
      return { status: answer.status, json: jsonOf(answer)?.value };
    } catch (error) {
      if (!(error instanceof HttpFaultError)) throw error;
      throw errorOfFault(action, error);
    }
  }
}

/**
 * The rows, if all of them are this client's. A mix of clients refuses the whole answer: nothing of it can be trusted.
 */
function ofClient<Row extends { readonly clientId: number }>(
  clientId: number,
  action: string,
  rows: readonly Row[],
): Row[] {
  if (rows.some((row) => row.clientId !== clientId)) throw foreignRow(action);
  return [...rows];
}

function foreignRow(action: string): WhmcsError {
  return new WhmcsError(
    'WHMCS_INVALID_ANSWER',
    `the answer to ${action} holds a row of another client; it is not used`,
  );
}

function invalidAnswer(action: string, detail: string, cause: unknown): WhmcsError {
  return new WhmcsError(
    'WHMCS_INVALID_ANSWER',
    `the answer to ${action} has an unexpected form: ${detail.slice(0, 300)}`,
    { cause },
  );
}

async function undefinedIfNotFound<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof WhmcsError && error.code === 'WHMCS_NOT_FOUND') return undefined;
    throw error;
  }
}
