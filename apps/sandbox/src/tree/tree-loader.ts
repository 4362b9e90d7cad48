import { SalesforceFault } from '../org/org.errors.js';
import type { Org } from '../org/org.js';
import type { Transaction } from '../org/transaction.js';
import { readTreeFolder, type TreeRecord } from './tree-files.js';
import { TreeDataError } from './tree.errors.js';

/** Stands in exports for the standard price book, which every org has already. */
const STANDARD_PRICEBOOK = 'PutStandardPricebookHere';

/** How many records of each object were loaded. */
export type LoadedCounts = Readonly<Record<string, number>>;

/**
 * Adds the records of a folder in sObject tree format to the org: all or none. References (`@Ref`) may point to any file;
 * objects and fields that the org does not know are added to it. Throws `TreeDataError`, which says what to do.
 */
export function loadTreeFolder(org: Org, folder: string): LoadedCounts {
  const records = readTreeFolder(folder);
  const types = typesByReference(records);
  prepareSchema(org, records, types);
  return org.transaction((transaction) => createAll(transaction, records));
}

function typesByReference(records: readonly TreeRecord[]): Map<string, string> {
  const types = new Map<string, string>();
  for (const { file, referenceId, type } of records) {
    if (types.has(referenceId)) {
      throw new TreeDataError(
        file,
        referenceId,
        'this referenceId is given twice',
        'Give every record a referenceId of its own',
      );
    }
    types.set(referenceId, type);
  }
  return types;
}

function prepareSchema(org: Org, records: readonly TreeRecord[], types: ReadonlyMap<string, string>): void {
  for (const record of records) org.schema.ensureObject(record.type);
  for (const record of records) {
    const object = org.schema.ensureObject(record.type);
    for (const [name, value] of Object.entries(record.fields)) {
      const target = typeof value === 'string' && value.startsWith('@') ? types.get(value.slice(1)) : undefined;
      org.schema.ensureField(object, name, value, value === STANDARD_PRICEBOOK ? 'Pricebook2' : target);
    }
  }
}

/** Creates what has all its references created, again and again until nothing is left: the order of files does not matter. */
function createAll(transaction: Transaction, records: readonly TreeRecord[]): LoadedCounts {
  const ids = new Map<string, string>();
  const counts: Record<string, number> = {};
  let waiting = records;
  while (waiting.length > 0) {
    const left: TreeRecord[] = [];
    for (const record of waiting) {
      if (referencesOf(record).every((reference) => ids.has(reference))) {
        ids.set(record.referenceId, createOne(transaction, record, ids));
        counts[record.type] = (counts[record.type] ?? 0) + 1;
      } else {
        left.push(record);
      }
    }
    if (left.length === waiting.length) throw unresolved(left[0] as TreeRecord, records);
    waiting = left;
  }
  return counts;
}

function referencesOf(record: TreeRecord): string[] {
  const own = Object.values(record.fields).filter(
    (value): value is string => typeof value === 'string' && value.startsWith('@'),
  );
  return [...own.map((value) => value.slice(1)), ...(record.parent ? [record.parent.record.referenceId] : [])];
}

function createOne(transaction: Transaction, record: TreeRecord, ids: ReadonlyMap<string, string>): string {
  const fields: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(record.fields)) {
    if (value === STANDARD_PRICEBOOK) fields[name] = transaction.org.standardPricebookId;
    else fields[name] = typeof value === 'string' && value.startsWith('@') ? ids.get(value.slice(1)) : value;
  }
  if (record.parent)
    fields[parentField(transaction, record, record.parent)] = ids.get(record.parent.record.referenceId);
  try {
    return transaction.create(record.type, fields);
  } catch (error) {
    if (!(error instanceof SalesforceFault)) throw error;
    throw new TreeDataError(
      record.file,
      record.referenceId,
      `${error.errorCode}: ${error.message}`,
      'Mend the record or take it out',
    );
  }
}

function parentField(transaction: Transaction, record: TreeRecord, parent: NonNullable<TreeRecord['parent']>): string {
  const { schema } = transaction.org;
  const object = schema.ensureObject(parent.record.type);
  const match = schema
    .children(object)
    .find(({ child, name }) => child.name === record.type && name === parent.relationship);
  if (match !== undefined) return match.field.name;
  const remedy = 'Write the record on its own with a reference field ("@…") instead of nesting it';
  throw new TreeDataError(
    record.file,
    record.referenceId,
    `${object.name} has no child relationship ${parent.relationship} of ${record.type}`,
    remedy,
  );
}

function unresolved(record: TreeRecord, all: readonly TreeRecord[]): TreeDataError {
  const known = new Set(all.map(({ referenceId }) => referenceId));
  const missing = referencesOf(record).find((reference) => !known.has(reference));
  if (missing === undefined) {
    return new TreeDataError(
      record.file,
      record.referenceId,
      'it refers to a record that refers back to it',
      'Break the circle: leave one of the references out',
    );
  }
  return new TreeDataError(
    record.file,
    record.referenceId,
    `no record has the referenceId ${missing}`,
    'Add the file that holds it, or mend the reference',
  );
}
