import { SalesforceFault } from '../org/org.errors.js';
import type { Org } from '../org/org.js';
import type { Transaction } from '../org/transaction.js';
import { readTreeFolder, type TreeRecord } from './tree-files.js';
import { TreeDataError } from './tree.errors.js';

/** The placeholder in exports for the standard price book, which every org already has. */
const STANDARD_PRICEBOOK = 'PutStandardPricebookHere';

/**
 * A record that was left out because it refers to a record that is not in the folder, or to one that was left out too.
 */
export interface LeftOut {
  readonly file: string;
  readonly referenceId: string;
  readonly type: string;
  /**
   * The referenceId to which this record refers, and which no record of the folder has or only one that was left out.
   */
  readonly missing: string;
}

/** The result of loading a folder. */
export interface LoadReport {
  /** Number of loaded records, by object. */
  readonly counts: Readonly<Record<string, number>>;
  readonly leftOut: readonly LeftOut[];
}

/**
 * Adds the records of a folder in sObject tree format to the org. References (`@Ref`) may point to any file; unknown
 * objects and fields are added to the org. A folder is often a part of a larger export, so a record that refers to a
 * missing one is left out and reported. Any other error throws `TreeDataError`, which says what to do, and loads no
 * record.
 */
export function loadTreeFolder(org: Org, folder: string): LoadReport {
  const records = readTreeFolder(folder);
  const types = typesByReference(records);
  prepareSchema(org, records, types);
  return org.transaction((transaction) => createAll(transaction, records));
}

/** The report in words, for people: the records left out, why, and what to do. Undefined if there are none. */
export function leftOutWarning({ leftOut }: LoadReport): string | undefined {
  const [first] = leftOut;
  if (first === undefined) return undefined;
  const missing = [...new Set(leftOut.map((record) => record.missing))];
  const shown = missing.slice(0, 10).join(', ') + (missing.length > 10 ? ', …' : '');
  return (
    `SANDBOX_DATA: left out ${leftOut.length} record(s), e.g. ${first.type} ${first.referenceId} of ${first.file}: ` +
    `no record of the folder has the referenceId ${shown}. Add the files that hold them to have all records.`
  );
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

/**
 * Creates every record whose references exist already, and repeats this until no record waits, so the order of files
 * does not matter.
 */
function createAll(transaction: Transaction, records: readonly TreeRecord[]): LoadReport {
  const leftOut = withoutTheirParents(records);
  const absent = new Set(leftOut.map(({ referenceId }) => referenceId));
  const ids = new Map<string, string>();
  const counts: Record<string, number> = {};
  let waiting = records.filter(({ referenceId }) => !absent.has(referenceId));
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
    if (left.length === waiting.length) throw circular(left[0] as TreeRecord);
    waiting = left;
  }
  return { counts, leftOut };
}

/** The records that refer to a missing record, directly or through other records left out. */
function withoutTheirParents(records: readonly TreeRecord[]): LeftOut[] {
  const present = new Map(records.map((record) => [record.referenceId, record]));
  const leftOut: LeftOut[] = [];
  let before = -1;
  while (leftOut.length !== before) {
    before = leftOut.length;
    for (const record of [...present.values()]) {
      const missing = referencesOf(record).find((reference) => !present.has(reference));
      if (missing === undefined) continue;
      present.delete(record.referenceId);
      leftOut.push({ file: record.file, referenceId: record.referenceId, type: record.type, missing });
    }
  }
  return leftOut;
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

function circular(record: TreeRecord): TreeDataError {
  const remedy = 'Break the circle: leave one of the references out';
  return new TreeDataError(record.file, record.referenceId, 'it refers to a record that refers back to it', remedy);
}
