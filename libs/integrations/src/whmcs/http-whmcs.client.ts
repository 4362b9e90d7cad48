import { bulkhead, type BulkheadPolicy, BulkheadRejectedError } from 'cockatiel';
import { z } from 'zod';
import { GATEWAYS, INVOICE, INVOICES, PAY_METHODS, SERVICES } from './whmcs-answers.js';
import { WhmcsClient } from './whmcs.client.js';
import { errorOfAnswer, WhmcsError } from './whmcs.errors.js';
import { type ResolvedWhmcsOptions, resolveWhmcsOptions, type WhmcsOptions } from './whmcs.options.js';
import type {
  WhmcsInvoice,
  WhmcsInvoiceDetail,
  WhmcsPaymentGateway,
  WhmcsPaymentMethod,
  WhmcsService,
} from './whmcs.types.js';

const ANSWER = z.looseObject({ result: z.string(), message: z.string().optional() });

type Parameters = Readonly<Record<string, string | number>>;

/** WHMCS over its HTTP API. Every rejection is a `WhmcsError`; answers are checked before anyone relies on them. */
export class HttpWhmcsClient extends WhmcsClient {
  private readonly options: ResolvedWhmcsOptions;
  private readonly slots: BulkheadPolicy;
  private isClosed = false;

  constructor(options: WhmcsOptions) {
    super();
    this.options = resolveWhmcsOptions(options);
    this.slots = bulkhead(this.options.concurrency, this.options.queueMax);
  }

  invoices(clientId: number): Promise<WhmcsInvoice[]> {
    const parameters = { userid: clientId, orderby: 'date', order: 'desc' };
    return this.pages('GetInvoices', parameters, INVOICES, ({ invoices, totalresults }) => [invoices, totalresults]);
  }

  async invoice(invoiceId: number): Promise<WhmcsInvoiceDetail | undefined> {
    const invoice = await undefinedIfNotFound(this.call('GetInvoice', { invoiceid: invoiceId }, INVOICE));
    if (invoice === undefined || invoice.currencyCode !== '') return invoice;
    // A client has one currency, and the list names it.
    const parameters = { userid: invoice.clientId, limitstart: 0, limitnum: 1 };
    const { invoices } = await this.call('GetInvoices', parameters, INVOICES);
    return { ...invoice, currencyCode: invoices[0]?.currencyCode ?? '' };
  }

  services(clientId: number): Promise<WhmcsService[]> {
    const parameters = { clientid: clientId };
    return this.pages('GetClientsProducts', parameters, SERVICES, ({ products, totalresults }) => [
      products,
      totalresults,
    ]);
  }

  async service(clientId: number, serviceId: number): Promise<WhmcsService | undefined> {
    const parameters = { clientid: clientId, serviceid: serviceId };
    const answer = await undefinedIfNotFound(this.call('GetClientsProducts', parameters, SERVICES));
    return answer?.products.find(({ id, clientId: owner }) => id === serviceId && owner === clientId);
  }

  async paymentMethods(clientId: number): Promise<WhmcsPaymentMethod[]> {
    const answer = await this.call('GetPayMethods', { clientid: clientId }, PAY_METHODS);
    return answer.paymethods ?? [];
  }

  async paymentGateways(): Promise<WhmcsPaymentGateway[]> {
    return (await this.call('GetPaymentMethods', {}, GATEWAYS)).paymentmethods;
  }

  /** From here on new calls are refused; the ones under way end by themselves, within their time-out. */
  close(): void {
    this.isClosed = true;
  }

  /** All rows over all pages. Rejects with `WHMCS_RESULT_TOO_LARGE` past `rowCountMax`; never returns a part. */
  private async pages<Schema extends z.ZodType, Row extends { readonly id: number }>(
    action: string,
    parameters: Parameters,
    schema: Schema,
    read: (answer: z.output<Schema>) => [Row[], total: number],
  ): Promise<Row[]> {
    const { pageSize, rowCountMax } = this.options;
    // By id, because a row that is added between two pages moves the others down and shows one of them twice.
    const rows = new Map<number, Row>();
    for (let start = 0; ;) {
      const [page, total] = read(
        await this.call(action, { ...parameters, limitstart: start, limitnum: pageSize }, schema),
      );
      for (const row of page) if (!rows.has(row.id)) rows.set(row.id, row);
      start += page.length;
      if (Math.max(total, rows.size) > rowCountMax) {
        throw new WhmcsError(
          'WHMCS_RESULT_TOO_LARGE',
          `${action} has ${total} rows, more than the ${rowCountMax} allowed`,
        );
      }
      if (page.length === 0 || start >= total) return [...rows.values()];
    }
  }

  private async call<Schema extends z.ZodType>(
    action: string,
    parameters: Parameters,
    schema: Schema,
  ): Promise<z.output<Schema>> {
    if (this.isClosed) throw new WhmcsError('WHMCS_CLOSED', `${action}: the WHMCS client is closed`);
    const answer = await this.inFreePlace(action, () => this.post(action, parameters));
    const parsed = schema.safeParse(answer);
    if (!parsed.success) throw invalidAnswer(action, z.prettifyError(parsed.error), parsed.error);
    return parsed.data;
  }

  private async inFreePlace<T>(action: string, work: () => Promise<T>): Promise<T> {
    try {
      return await this.slots.execute(work);
    } catch (error) {
      if (!(error instanceof BulkheadRejectedError)) throw error;
      const detail = `${this.options.concurrency} requests are under way and ${this.options.queueMax} are waiting`;
      throw new WhmcsError('WHMCS_OVERLOADED', `${action} was refused: ${detail}`, { cause: error });
    }
  }

  /** The answer with `result: success`. */
  private async post(action: string, parameters: Parameters): Promise<unknown> {
    const { status, body } = await this.exchange(action, parameters);
    let json: unknown;
    try {
      json = JSON.parse(body);
    } catch (error) {
      if (status >= 500)
        throw new WhmcsError('WHMCS_UNAVAILABLE', `${action} failed: HTTP ${status}`, { cause: error });
      throw invalidAnswer(action, `HTTP ${status} without JSON; check that the URL is that of includes/api.php`, error);
    }
    const answer = ANSWER.safeParse(json);
    if (!answer.success) {
      if (status >= 400) throw errorOfAnswer(action, status, `HTTP ${status}`);
      throw invalidAnswer(action, 'it has no result', answer.error);
    }
    if (answer.data.result !== 'success' || status >= 400) {
      throw errorOfAnswer(action, status, answer.data.message ?? `HTTP ${status}, result ${answer.data.result}`);
    }
    return answer.data;
  }

  private async exchange(action: string, parameters: Parameters): Promise<{ status: number; body: string }> {
    const { url, identifier, secret, requestTimeoutMs } = this.options;
    const form = new URLSearchParams({ action, identifier, secret, responsetype: 'json' });
    for (const [name, value] of Object.entries(parameters)) form.set(name, String(value));
    const signal = AbortSignal.timeout(requestTimeoutMs);
    try {
      const response = await fetch(url, {
        method: 'POST',
        body: form,
        signal,
        redirect: 'error', // a redirect would send the secret to another address
      });
      return { status: response.status, body: await response.text() };
    } catch (error) {
      if (signal.aborted) {
        throw new WhmcsError('WHMCS_TIMEOUT', `${action} had no complete answer within ${requestTimeoutMs} ms`, {
          cause: error,
        });
      }
      throw new WhmcsError('WHMCS_UNAVAILABLE', `${action} could not be sent: WHMCS is not reachable`, {
        cause: error,
      });
    }
  }
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
