/* global confirm */
import { at, attempt, element } from './dom.mjs';
import { showBilling } from './billing.mjs';
import { watch } from './log.mjs';

/**
 * The page on which a person acts as Salesforce and WHMCS. It is a client like any other: it uses the REST API for
 * records, the API of WHMCS for bills, `/sandbox/faults` for faults, and `/sandbox/feed.json` for what happens. It sets
 * everything it shows as text, never as HTML.
 */
const API = '/services/data/v67.0';
/** Maximum number of records in the list. */
const RECORDS_MAX = 25;
/** The fields by which people recognise a record; the list shows those that the object has. */
const TITLE_FIELDS = ['Name', 'OrderNumber', 'OrderItemNumber', 'Status', 'ProductCode', 'UnitPrice', 'Quantity'];

let token;
let object;
let record;
let faults = [];

watch();
await Promise.all([listObjects(), listFaults(), linkBff()]);
await showBilling(clientOfFirstCustomer);

at('objects').addEventListener('change', () => attempt('said', openObject));
at('find').addEventListener('input', () => attempt('said', listRecords));
at('new').addEventListener('click', () => openEditor(undefined));
at('editor').addEventListener('submit', (event) => {
  event.preventDefault();
  void attempt('said', save);
});
at('delete').addEventListener('click', () => attempt('said', remove));
at('faults').addEventListener('change', showFault);
at('fault-form').addEventListener('submit', (event) => {
  event.preventDefault();
  void attempt('fault-said', fire);
});
at('end-faults').addEventListener('click', () => attempt('fault-said', endFaults));

/** Makes one REST API call. A token that has ended is replaced once. */
async function call(path, method = 'GET', body = undefined) {
  token ??= await (await fetch('/demo/salesforce-token')).text();
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const send = () => fetch(API + path, { method, headers, body: body && JSON.stringify(body) });
  let response = await send();
  if (response.status === 401) {
    token = await (await fetch('/demo/salesforce-token')).text();
    headers.authorization = `Bearer ${token}`;
    response = await send();
  }
  const text = await response.text();
  const answer = text === '' ? undefined : JSON.parse(text);
  if (!response.ok) throw new Error(answer.map(({ errorCode, message }) => `${errorCode}: ${message}`).join('; '));
  return answer;
}

/** Shows the link to the BFF, if the sandbox knows where that is. */
async function linkBff() {
  const { bff } = await (await fetch('/sandbox')).json();
  if (bff === undefined) return;
  at('bff').href = `${bff}/health`;
  at('bff').textContent = `BFF: ${bff}`;
  at('bff-place').hidden = false;
}

async function clientOfFirstCustomer() {
  const soql = "SELECT WHMCS_Client_Id__c FROM Account WHERE Portal_User_Id__c = 'customer-1'";
  const { records } = await call(`/query?q=${encodeURIComponent(soql)}`);
  return records[0]?.WHMCS_Client_Id__c;
}

async function listObjects() {
  await attempt('said', async () => {
    const { sobjects } = await call('/sobjects');
    const writable = sobjects.filter(({ queryable, updateable }) => queryable && updateable);
    at('objects').replaceChildren(...writable.map(({ name }) => element('option', name, { value: name })));
    at('objects').value = writable.some(({ name }) => name === 'Order') ? 'Order' : writable[0]?.name;
    return openObject();
  });
}

async function openObject() {
  object = await call(`/sobjects/${at('objects').value}/describe`);
  at('editor').hidden = true;
  record = undefined;
  at('find').value = '';
  await listRecords();
}

async function listRecords() {
  const names = TITLE_FIELDS.filter((name) => object.fields.some((field) => field.name === name));
  const searched = names.find((name) => object.fields.some((field) => field.name === name && field.type === 'string'));
  at('find').disabled = searched === undefined;
  const wanted = at('find')
    .value.trim()
    .replace(/[\\'%_]/g, '\\$&');
  const where = wanted === '' ? '' : ` WHERE ${searched} LIKE '%${wanted}%'`;
  const fields = ['Id', ...names].join(', ');
  const soql = `SELECT ${fields} FROM ${object.name}${where} ORDER BY LastModifiedDate DESC, Id LIMIT ${RECORDS_MAX}`;
  const { records } = await call(`/query?q=${encodeURIComponent(soql)}`);
  at('records').replaceChildren(
    ...records.map((row) => {
      const title = names.map((name) => row[name]).filter((value) => value !== null);
      const button = element('button', title.join(' · ') || row.Id, { type: 'button' });
      button.dataset.id = row.Id;
      button.addEventListener('click', () => attempt('said', () => openRecord(row.Id)));
      const item = element('li');
      item.append(button);
      return item;
    }),
  );
  markCurrent();
}

function markCurrent() {
  for (const button of at('records').querySelectorAll('button')) {
    button.setAttribute('aria-current', String(button.dataset.id === record?.Id));
  }
}

async function openRecord(id) {
  openEditor(await call(`/sobjects/${object.name}/${id}`));
}

/** Opens the form for a record, or for a new one. */
function openEditor(opened) {
  record = opened;
  const permission = opened === undefined ? 'createable' : 'updateable';
  const fields = object.fields.filter((field) => field[permission]);
  at('editor-title').textContent = opened === undefined ? `New ${object.name}` : `${object.name} ${opened.Id}`;
  at('fields').replaceChildren(...fields.map((field) => fieldInput(field, opened?.[field.name] ?? field.defaultValue)));
  at('needed').hidden = !fields.some(isRequired);
  at('delete').hidden = opened === undefined;
  at('editor').hidden = false;
  markCurrent();
}

/** Whether a record cannot be saved without a value in this field. */
function isRequired({ nillable, defaultedOnCreate, type }) {
  return !nillable && !defaultedOnCreate && type !== 'boolean';
}

function fieldInput(field, value) {
  const label = element('label', `${field.label}${isRequired(field) ? ' *' : ''} `);
  const input = inputFor(field);
  // Says so to everybody, also to people who hear the page; the org decides, so nothing keeps the form from being sent.
  input.required = isRequired(field);
  input.name = field.name;
  if (field.type === 'boolean') input.checked = value === true;
  else input.value = value ?? '';
  input.dataset.before = valueOf(field, input) ?? '';
  label.append(input);
  return label;
}

function inputFor({ type, picklistValues, nillable }) {
  if (type === 'boolean') return element('input', '', { type: 'checkbox' });
  if (type === 'textarea') return element('textarea', '', { rows: 2 });
  if (type === 'picklist') {
    const select = element('select');
    const values = [...(nillable ? [''] : []), ...picklistValues.map(({ value }) => value)];
    select.append(...values.map((value) => element('option', value || '–', { value })));
    return select;
  }
  if (type === 'date') return element('input', '', { type: 'date' });
  const isNumber = type === 'int' || type === 'double' || type === 'currency';
  return element('input', '', isNumber ? { type: 'number', step: 'any' } : { type: 'text' });
}

function valueOf(field, input) {
  if (field.type === 'boolean') return input.checked;
  if (input.value === '') return null;
  return input.type === 'number' ? Number(input.value) : input.value;
}

/**
 * Sends only the fields that the person has changed, so that the event of an update has no others except
 * LastModifiedDate.
 */
async function save() {
  const changed = {};
  for (const field of object.fields) {
    const input = at('fields').querySelector(`[name="${field.name}"]`);
    if (input === null) continue;
    const value = valueOf(field, input);
    if (String(value ?? '') !== input.dataset.before) changed[field.name] = value;
  }
  if (record !== undefined && Object.keys(changed).length === 0) return 'Nothing was changed.';
  const path = `/sobjects/${object.name}`;
  const id = record?.Id ?? (await call(path, 'POST', changed)).id;
  if (record !== undefined) await call(`${path}/${id}`, 'PATCH', changed);
  await openRecord(id);
  await listRecords();
  return `Saved: ${Object.keys(changed).join(', ')}`;
}

async function remove() {
  const { Id } = record;
  if (!confirm(`Delete ${object.name} ${Id}?`)) return '';
  await call(`/sobjects/${object.name}/${Id}`, 'DELETE');
  at('editor').hidden = true;
  record = undefined;
  await listRecords();
  return `Deleted ${Id}`;
}

async function listFaults() {
  await attempt('fault-said', async () => {
    ({ faults } = await (await fetch('/sandbox/faults')).json());
    at('faults').replaceChildren(...faults.map(({ fault }) => element('option', fault, { value: fault })));
    showFault();
  });
}

/**
 * Describes the chosen fault and shows a valid order for it, with the open record and its object if the order names
 * such.
 */
function showFault() {
  const { does, example } = faults.find(({ fault }) => fault === at('faults').value);
  const order = { ...example };
  if (record !== undefined && 'entityName' in order) order.entityName = object.name;
  if (record !== undefined && 'recordId' in order) order.recordId = record.Id;
  at('does').textContent = does.replaceAll('`', '');
  at('order').value = JSON.stringify(order, undefined, 2);
}

async function fire() {
  JSON.parse(at('order').value); // throws first: it describes a syntax error better than the server
  const headers = { 'content-type': 'application/json' };
  const response = await fetch('/sandbox/faults', { method: 'POST', headers, body: at('order').value });
  const answer = await response.json();
  if (response.ok) return `Done: ${JSON.stringify(answer)}`;
  const problems = answer.problems ?? answer.map(({ errorCode, message }) => `${errorCode}: ${message}`);
  throw new Error(problems.join('; '));
}

async function endFaults() {
  await fetch('/sandbox/faults', { method: 'DELETE' });
  return 'All faults have ended.';
}
