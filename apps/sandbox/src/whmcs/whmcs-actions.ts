import { amountsOf, invoiceInFull, invoiceInList, payMethodJson, serviceJson } from './whmcs-json.js';
import type { Invoice, WhmcsData } from './whmcs-data.js';

/** The parameters of a call, as its form carries them. */
export type Parameters = Readonly<Record<string, string | undefined>>;

/** An answer without its `result`. An action throws `WhmcsRefusal` for `result: error`. */
export type ActionAnswer = Record<string, unknown>;

/** A refusal, which WHMCS answers as `{"result": "error", "message": …}`. */
export class WhmcsRefusal extends Error {
  constructor(
    message: string,
    readonly status = 200,
  ) {
    super(message);
    this.name = 'WhmcsRefusal';
  }
}

const STATUSES = ['Draft', 'Unpaid', 'Paid', 'Cancelled', 'Refunded', 'Collections', 'Payment Pending'];
const GATEWAYS = [
  { module: 'stripe', displayname: 'Credit Card' },
  { module: 'banktransfer', displayname: 'Bank Transfer' },
  { module: 'paypal', displayname: 'PayPal' },
];

/** The actions that this WHMCS knows, by their names in lower case (WHMCS takes any case). */
export const ACTIONS: Readonly<Record<string, (data: WhmcsData, parameters: Parameters) => ActionAnswer>> = {
  getinvoices(data, parameters) {
    const userId = optionalId(parameters, 'userid');
    const { status } = parameters;
    const matching = [...data.invoices.values()].filter(
      (invoice) => (userId === undefined || invoice.client.id === userId) && hasStatus(invoice, status),
    );
    const { page, ...counts } = paged(sorted(matching, parameters), parameters);
    return { ...counts, invoices: { invoice: page.map(invoiceInList) } };
  },

  getinvoice(data, parameters) {
    return invoiceInFull(invoiceOf(data, parameters));
  },

  updateinvoice(data, parameters) {
    const invoice = invoiceOf(data, parameters);
    const { status } = parameters;
    if (status !== undefined) {
      if (!STATUSES.includes(status)) throw new WhmcsRefusal(`Invalid status ${status}`);
      invoice.status = status;
      invoice.datePaid = status === 'Paid' ? (invoice.datePaid ?? timeNow()) : undefined;
    }
    return { invoiceid: String(invoice.id) };
  },

  getclientsproducts(data, parameters) {
    const clientId = optionalId(parameters, 'clientid');
    const serviceId = optionalId(parameters, 'serviceid');
    if (clientId !== undefined && !data.clients.has(clientId)) throw new WhmcsRefusal('Client ID Not Found');
    const matching = data.services.filter(
      (service) =>
        (clientId === undefined || service.clientId === clientId) &&
        (serviceId === undefined || service.id === serviceId),
    );
    const { page, ...counts } = paged(matching, parameters);
    return {
      clientid: parameters['clientid'] ?? null,
      serviceid: parameters['serviceid'] ?? null,
      pid: null,
      domain: null,
      ...counts,
      products: { product: page.map(serviceJson) },
    };
  },

  getpaymethods(data, parameters) {
    const clientId = optionalId(parameters, 'clientid');
    if (clientId === undefined || !data.clients.has(clientId)) throw new WhmcsRefusal('Client ID Not Found');
    const methods = data.payMethods.filter((method) => method.clientId === clientId);
    return { clientid: String(clientId), paymethods: methods.map(payMethodJson) };
  },

  getpaymentmethods() {
    return { totalresults: GATEWAYS.length, paymentmethods: { paymentmethod: GATEWAYS } };
  },
};

function invoiceOf(data: WhmcsData, parameters: Parameters): Invoice {
  const invoice = data.invoices.get(optionalId(parameters, 'invoiceid') ?? -1);
  if (invoice === undefined) throw new WhmcsRefusal('Invoice ID Not Found');
  return invoice;
}

/**
 * Reads a number as PHP does: text that is no number is 0, which is no record's id. Undefined if the parameter is
 * missing or empty.
 */
function optionalId(parameters: Parameters, name: string): number | undefined {
  const text = parameters[name];
  if (text === undefined || text === '') return undefined;
  return /^\d+$/.test(text) ? Number(text) : 0;
}

function hasStatus(invoice: Invoice, status: string | undefined): boolean {
  if (status === undefined || status === '') return true;
  if (status !== 'Overdue') return invoice.status === status;
  return invoice.status === 'Unpaid' && invoice.dueDate < timeNow().slice(0, 10);
}

function sorted(invoices: Invoice[], parameters: Parameters): Invoice[] {
  const sign = parameters['order']?.toLowerCase() === 'desc' ? -1 : 1;
  const key = SORT_KEYS[parameters['orderby'] ?? 'id'] ?? SORT_KEYS['id'];
  return invoices.sort((a, b) => {
    const [left, right] = [key?.(a) ?? 0, key?.(b) ?? 0];
    return left === right ? a.id - b.id : left < right ? -sign : sign;
  });
}

const SORT_KEYS: Readonly<Record<string, (invoice: Invoice) => string | number>> = {
  id: (invoice) => invoice.id,
  invoicenumber: (invoice) => invoice.id,
  date: (invoice) => invoice.date,
  duedate: (invoice) => invoice.dueDate,
  total: (invoice) => amountsOf(invoice).total,
  status: (invoice) => invoice.status,
};

/** One page of the items; `limitnum` is 25 by default. */
function paged<T>(items: readonly T[], parameters: Parameters) {
  const start = optionalId(parameters, 'limitstart') ?? 0;
  const page = items.slice(start, start + (optionalId(parameters, 'limitnum') ?? 25));
  return { page, totalresults: items.length, startnumber: start, numreturned: page.length };
}

function timeNow(): string {
  return new Date().toISOString().slice(0, 19).replace('T', ' ');
}
