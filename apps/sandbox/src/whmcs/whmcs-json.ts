import { TAX_RATE, type Invoice, type PayMethod, type Service } from './whmcs-data.js';

/** WHMCS shows an empty date as zeros. */
const NO_DATE = '0000-00-00';
const NO_TIME = `${NO_DATE} 00:00:00`;

interface Amounts {
  readonly subtotal: number;
  readonly tax: number;
  readonly total: number;
}

/** An invoice's amounts in yen: the sum of its items, the tax on it, and both together. */
export function amountsOf(invoice: Invoice): Amounts {
  const subtotal = invoice.items.reduce((sum, item) => sum + item.amount, 0);
  const tax = (subtotal * TAX_RATE) / 100;
  return { subtotal, tax, total: subtotal + tax };
}

/** An invoice in the list of `GetInvoices`: ids are numbers, amounts are texts. */
export function invoiceInList(invoice: Invoice): Record<string, unknown> {
  return {
    id: invoice.id,
    userid: invoice.client.id,
    firstname: invoice.client.firstName,
    lastname: invoice.client.lastName,
    companyname: '',
    ...invoiceFields(invoice),
    currencycode: 'JPY',
    currencyprefix: '¥',
    currencysuffix: '',
  };
}

/** The whole invoice of `GetInvoice`: ids are texts too, and a lack of transactions is an empty text. */
export function invoiceInFull(invoice: Invoice): Record<string, unknown> {
  const { total } = amountsOf(invoice);
  return {
    invoiceid: String(invoice.id),
    userid: String(invoice.client.id),
    ...invoiceFields(invoice),
    balance: decimal(invoice.status === 'Paid' ? 0 : total),
    ccgateway: true,
    items: {
      item: invoice.items.map((item) => ({
        id: String(item.id),
        type: 'Hosting',
        relid: String(item.relatedId),
        description: item.description,
        amount: decimal(item.amount),
        taxed: '1',
      })),
    },
    transactions: '',
  };
}

function invoiceFields(invoice: Invoice): Record<string, unknown> {
  const { subtotal, tax, total } = amountsOf(invoice);
  return {
    invoicenum: `EG-${invoice.id}`,
    date: invoice.date,
    duedate: invoice.dueDate,
    datepaid: invoice.datePaid ?? NO_TIME,
    last_capture_attempt: NO_TIME,
    subtotal: decimal(subtotal),
    credit: decimal(0),
    tax: decimal(tax),
    tax2: decimal(0),
    total: decimal(total),
    taxrate: decimal(TAX_RATE),
    taxrate2: decimal(0),
    status: invoice.status,
    paymentmethod: 'stripe',
    notes: '',
  };
}

/** A service of `GetClientsProducts`: every scalar value is a text. */
export function serviceJson(service: Service): Record<string, unknown> {
  return {
    id: String(service.id),
    qty: '1',
    clientid: String(service.clientId),
    orderid: String(service.orderId),
    ordernumber: String(service.orderId * 7 + 13),
    pid: String(service.productId),
    regdate: service.registeredOn,
    name: service.name,
    translated_name: service.name,
    groupname: service.groupName,
    translated_groupname: service.groupName,
    domain: '',
    dedicatedip: '',
    serverid: '0',
    servername: '',
    serverip: '',
    serverhostname: '',
    suspensionreason: '',
    firstpaymentamount: decimal(service.amount),
    recurringamount: decimal(service.amount),
    paymentmethod: 'stripe',
    paymentmethodname: 'Credit Card',
    billingcycle: service.billingCycle,
    // A pending service has no due date, which WHMCS shows as zeros.
    nextduedate: service.status === 'Pending' ? NO_DATE : service.nextDueOn,
    status: service.status,
    username: '',
    subscriptionid: '',
    promoid: '0',
    notes: '',
    customfields: { customfield: [] },
    configoptions: { configoption: [] },
  };
}

/** A pay method as `GetPayMethods` shows it; a bank account has other fields than a card. */
export function payMethodJson(method: PayMethod): Record<string, unknown> {
  const common = {
    id: method.id,
    type: method.type,
    description: method.description,
    gateway_name: method.gatewayName,
    contact_type: 'Client',
    contact_id: method.clientId,
    last_updated: '01/04/2026 09:00',
  };
  if (method.type === 'BankAccount') return { ...common, bank_name: 'Evergreen Bank' };
  return {
    ...common,
    card_last_four: method.cardLastFour,
    expiry_date: method.expiryDate,
    start_date: '',
    issue_number: '',
    card_type: method.cardType,
    remote_token: '',
  };
}

function decimal(amount: number): string {
  return amount.toFixed(2);
}
