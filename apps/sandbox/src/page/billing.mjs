/* global URLSearchParams */
import { at, attempt, element } from './dom.mjs';

/** Maximum number of invoices in the list. */
const INVOICES_MAX = 25;
const STATUSES = ['Draft', 'Unpaid', 'Paid', 'Cancelled', 'Refunded', 'Collections', 'Payment Pending'];
/** Published: they guard only made-up data on this machine. */
const CREDENTIALS = { identifier: 'sandbox-identifier', secret: 'sandbox-secret', responsetype: 'json' };

/** Shows the bills and services of a client, at first of the one that `firstClient` finds. */
export async function showBilling(firstClient) {
  at('client').addEventListener('change', () => attempt('billing-said', list));
  await attempt('billing-said', async () => {
    at('client').value = (await firstClient()) ?? '';
    return list();
  });
}

/** Makes one call to WHMCS, as its clients do: with a form. */
async function call(action, parameters) {
  const form = new URLSearchParams({ ...CREDENTIALS, action, ...parameters });
  const answer = await (await fetch('/whmcs/includes/api.php', { method: 'POST', body: form })).json();
  if (answer.result !== 'success') throw new Error(answer.message ?? 'WHMCS refused the call');
  return answer;
}

async function list() {
  const clientid = at('client').value;
  const sorted = { userid: clientid, orderby: 'date', order: 'desc', limitnum: INVOICES_MAX };
  const { products } = await call('GetClientsProducts', { clientid });
  const { invoices } = await call('GetInvoices', sorted);
  at('invoices').replaceChildren(...invoices.invoice.map(invoiceRow));
  const services = products.product.map(({ name, status }) => `${name} (${status})`);
  at('services').textContent = services.length === 0 ? 'none' : services.join(', ');
}

function invoiceRow({ id, date, total, currencyprefix, status }) {
  const label = element('label', `Invoice ${id} · ${date} · ${currencyprefix}${total} `);
  const select = element('select');
  select.append(...STATUSES.map((each) => element('option', each, { value: each })));
  select.value = status;
  select.dataset.invoice = id;
  select.addEventListener('change', () => attempt('billing-said', () => update(id, select.value)));
  label.append(select);
  const item = element('li');
  item.append(label);
  return item;
}

async function update(invoiceid, status) {
  await call('UpdateInvoice', { invoiceid, status });
  return `Invoice ${invoiceid} is ${status}.`;
}
