import { z } from 'zod';
import type {
  WhmcsInvoice,
  WhmcsInvoiceDetail,
  WhmcsPaymentGateway,
  WhmcsPaymentMethod,
  WhmcsService,
} from './whmcs.types.js';
import { dateOrNever, expiryOrNever } from './whmcs-date.js';
import type { WhmcsPage } from './whole-list.js';

// WHMCS sends numbers as numbers or text, omits empty values or sends "" for them (lists included), and encodes HTML
// characters in names (WHMCS Developer Documentation, "API Index"). For its dates see whmcs-date.ts.

const number = z.union([
  z.number(),
  z
    .string()
    .regex(/^-?\d+(\.\d+)?$/)
    .transform(Number),
]);
const text = z.union([z.string(), z.number().transform(String)]).transform(withoutEntities);
const optionalText = z
  .union([text, z.null()])
  .optional()
  .transform((value) => value ?? '');
function absentOr<Schema extends z.ZodType>(schema: Schema) {
  return schema.nullish().transform((value) => value ?? undefined);
}

/** Rows in `{ name: [rows] }`. WHMCS may send nothing or "" for an empty list, and a single row without its list. */
function rowsOf<Row extends z.ZodType>(name: string, row: Row): z.ZodType<z.output<Row>[]> {
  const listed = z.record(z.string(), z.unknown()).transform((wrapper): unknown[] => {
    const rows = wrapper[name] ?? [];
    if (rows === '') return [];
    return Array.isArray(rows) ? (rows as unknown[]) : [rows];
  });
  const none = z.union([z.literal(''), z.null(), z.array(z.never())]).transform(() => [] as unknown[]);
  return z
    .union([listed, none])
    .optional()
    .transform((rows) => rows ?? [])
    .pipe(z.array(row));
}

const invoiceRow = z
  .object({
    id: number,
    userid: number,
    invoicenum: optionalText,
    date: dateOrNever,
    duedate: dateOrNever,
    datepaid: dateOrNever,
    subtotal: number,
    tax: number,
    tax2: number.optional(),
    total: number,
    status: text,
    currencycode: optionalText,
  })
  .transform((row): WhmcsInvoice => ({
    id: row.id,
    clientId: row.userid,
    // An invoice has its own number only with sequential numbering; otherwise customers see the id.
    invoiceNumber: row.invoicenum || String(row.id),
    date: row.date,
    dueDate: row.duedate,
    datePaid: row.datepaid,
    subtotal: row.subtotal,
    tax: toCents(row.tax + (row.tax2 ?? 0)),
    total: row.total,
    status: row.status,
    currencyCode: row.currencycode,
  }));

const invoiceItem = z.object({ id: number, description: text, amount: number });

const serviceRow = z
  .object({
    id: number,
    clientid: number,
    orderid: number,
    name: optionalText,
    groupname: optionalText,
    status: text,
    billingcycle: text,
    recurringamount: number,
    regdate: dateOrNever,
    nextduedate: dateOrNever,
  })
  .transform((row): WhmcsService => ({
    id: row.id,
    clientId: row.clientid,
    orderId: row.orderid,
    name: row.name,
    groupName: row.groupname,
    status: row.status,
    billingCycle: row.billingcycle,
    recurringAmount: row.recurringamount,
    registrationDate: row.regdate,
    nextDueDate: row.nextduedate,
  }));

const payMethodRow = z
  .object({
    id: number,
    type: text,
    description: optionalText,
    gateway_name: optionalText,
    card_last_four: optionalText,
    expiry_date: expiryOrNever,
  })
  .transform((row): WhmcsPaymentMethod => ({
    id: row.id,
    type: row.type,
    description: row.description,
    gatewayName: row.gateway_name,
    cardLastFour: row.card_last_four.slice(-4) || null,
    expiryDate: row.expiry_date,
  }));

const gatewayRow = z
  .object({ module: text, displayname: text })
  .transform((row): WhmcsPaymentGateway => ({ module: row.module, displayName: row.displayname }));

/** One page of a list; `name` is the wrapper around the rows, `rowName` the name of one row. */
function pageOf<Row extends z.ZodType>(name: string, rowName: string, row: Row): z.ZodType<WhmcsPage<z.output<Row>>> {
  const page = z.object({
    rows: rowsOf(rowName, row),
    totalresults: number,
    startnumber: absentOr(number),
    numreturned: absentOr(number),
  });
  return z.preprocess((answer) => ({ ...(answer as object), rows: (answer as Record<string, unknown>)[name] }), page);
}

/** The pages of GetInvoices and of GetClientsProducts. */
export const INVOICES = pageOf('invoices', 'invoice', invoiceRow);
export const SERVICES = pageOf('products', 'product', serviceRow);
/** GetPayMethods does not count its rows, so the list must be present, even if empty. It names the client once. */
export const PAY_METHODS = z.object({
  clientid: absentOr(number),
  paymethods: z.union([z.array(payMethodRow), z.literal('').transform(() => [])]),
});
/** GetPaymentMethods counts its rows, but has no pages. */
export const GATEWAYS = pageOf('paymentmethods', 'paymentmethod', gatewayRow);

/** GetInvoice calls the id `invoiceid` and, unlike GetInvoices, states no currency. */
export const INVOICE = z
  .looseObject({ invoiceid: number, items: rowsOf('item', invoiceItem) })
  .transform((answer, context): WhmcsInvoiceDetail => {
    const row = invoiceRow.safeParse({ ...answer, id: answer.invoiceid });
    if (row.success) return { ...row.data, items: answer.items };
    for (const { message, path } of row.error.issues) context.addIssue({ code: 'custom', message, path });
    return z.NEVER;
  });

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#039': "'", '#39': "'" };

function withoutEntities(value: string): string {
  return value.replace(/&(amp|lt|gt|quot|#0?39);/g, (_, name: string) => ENTITIES[name] as string);
}

function toCents(amount: number): number {
  return Math.round(amount * 100) / 100;
}
