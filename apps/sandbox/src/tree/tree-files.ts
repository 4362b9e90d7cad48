import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { TreeDataError } from './tree.errors.js';

/** One record of a tree file, flattened out of its parent. */
export interface TreeRecord {
  readonly file: string;
  readonly type: string;
  readonly referenceId: string;
  /** Values, and references as `@Ref` or the price book placeholder. */
  readonly fields: Readonly<Record<string, string | number | boolean | null>>;
  /** For a nested record: its parent and the list that held it (`OrderItems`). */
  readonly parent: { readonly record: TreeRecord; readonly relationship: string } | undefined;
}

/**
 * Maximum length of a file's text, in characters: a larger file is no export of a sample org, and its records would
 * fill the memory.
 */
const FILE_BYTES_MAX = 50 * 1024 * 1024;

const plan = z.array(
  z.looseObject({ sobject: z.string(), files: z.array(z.union([z.string(), z.looseObject({ file: z.string() })])) }),
);
const attributes = z.looseObject({ type: z.string().min(1), referenceId: z.string().min(1) });
const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);

/**
 * All records of the folder's tree files. If the folder has plans (`…-plan.json`), only the files that they name are
 * read, in their order.
 */
export function readTreeFolder(folder: string): TreeRecord[] {
  const names = listFolder(folder);
  const plans = names.filter((name) => name.endsWith('-plan.json'));
  const files = plans.length > 0 ? [...new Set(plans.flatMap((name) => filesOfPlan(folder, name)))] : names;
  if (files.length === 0) {
    throw new TreeDataError(
      folder,
      undefined,
      'there is no .json file in this folder',
      'Put the files of `sf data export tree` there, or unset SANDBOX_DATA',
    );
  }
  return files.flatMap((name) => readTreeFile(folder, name));
}

function listFolder(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.json'))
      .sort();
  } catch (error) {
    throw new TreeDataError(
      folder,
      undefined,
      `the folder cannot be read (${(error as Error).message})`,
      'Name a folder that exists, or unset SANDBOX_DATA',
    );
  }
}

function filesOfPlan(folder: string, name: string): string[] {
  const parsed = plan.safeParse(readJson(folder, name));
  if (!parsed.success)
    throw new TreeDataError(name, undefined, 'it is not a plan', 'A plan is a list of {"sobject": …, "files": […]}');
  return parsed.data.flatMap((step) => step.files.map((file) => (typeof file === 'string' ? file : file.file)));
}

function readTreeFile(folder: string, name: string): TreeRecord[] {
  if (basename(name) !== name)
    throw new TreeDataError(
      name,
      undefined,
      'the plan names a file outside its folder',
      'Put all files beside the plan',
    );
  const json = readJson(folder, name);
  // A plan with another name than `…-plan.json` (`Plan-1.json`) holds no records. It gives an order of files, which is
  // not needed.
  if (plan.safeParse(json).success) return [];
  const content = z.looseObject({ records: z.array(z.unknown()) }).safeParse(json);
  if (!content.success) {
    throw new TreeDataError(
      name,
      undefined,
      'it has no list "records"',
      'Every .json file in the folder must be an sObject tree: move others elsewhere',
    );
  }
  return content.data.records.flatMap((record, i) => flatten(name, record, `record ${i + 1}`, undefined));
}

function readJson(folder: string, name: string): unknown {
  try {
    const text = readFileSync(join(folder, name), 'utf8');
    if (text.length > FILE_BYTES_MAX) throw new Error(`larger than ${FILE_BYTES_MAX} bytes`);
    return JSON.parse(text);
  } catch (error) {
    throw new TreeDataError(
      name,
      undefined,
      `it cannot be read as JSON (${(error as Error).message})`,
      'Export it again or mend it',
    );
  }
}

function flatten(file: string, value: unknown, place: string, parent: TreeRecord['parent']): TreeRecord[] {
  const shape = z.looseObject({ attributes }).safeParse(value);
  if (!shape.success) {
    throw new TreeDataError(
      file,
      place,
      'it has no attributes.type and attributes.referenceId',
      'Add both: the object’s API name and a name of its own',
    );
  }
  const { type, referenceId } = shape.data.attributes;
  const fields: Record<string, string | number | boolean | null> = {};
  const record: TreeRecord = { file, type, referenceId, fields, parent };
  const children: TreeRecord[] = [];
  for (const [name, entry] of Object.entries(shape.data)) {
    if (name === 'attributes') continue;
    const plain = scalar.safeParse(entry);
    const nested = z.looseObject({ records: z.array(z.unknown()) }).safeParse(entry);
    if (plain.success) fields[name] = plain.data;
    else if (nested.success) {
      const belongsTo = { record, relationship: name };
      nested.data.records.forEach((child, i) =>
        children.push(...flatten(file, child, `${referenceId}.${name}[${i}]`, belongsTo)),
      );
    } else {
      throw new TreeDataError(
        file,
        referenceId,
        `the field ${name} is neither a value nor {"records": […]}`,
        'Write compound fields by their parts, as an export does',
      );
    }
  }
  return [record, ...children];
}
