import type { FieldDefinition, FieldValue } from '../field-definition.js';
import { toFieldValue } from './field-input.js';
import type { ObjectDefinition } from '../object-definition.js';
import { noSuchColumn, SalesforceFault } from '../org.errors.js';
import type { OrgState } from '../org-state.js';

type Values = Record<string, FieldValue>;

/**
 * The stored values of a new record. Throws for unknown, read-only and badly typed fields, and for missing required
 * ones.
 */
export function createdValues(object: ObjectDefinition, input: Readonly<Record<string, unknown>>): Values {
  const values = checkedValues(object, input, 'createable');
  const missing = [...object.fields].filter((field) => field.required && (values[field.name] ?? null) === null);
  if (missing.length > 0) throw requiredMissing(missing);
  return values;
}

/**
 * The stored values of the fields that an update names. Throws for unknown, read-only and badly typed fields, and if it
 * empties a required one.
 */
export function updatedValues(object: ObjectDefinition, input: Readonly<Record<string, unknown>>): Values {
  const values = checkedValues(object, input, 'updateable');
  const emptied = [...object.fields].filter((field) => field.required && values[field.name] === null);
  if (emptied.length > 0) throw requiredMissing(emptied);
  return values;
}

/**
 * Throws unless every look-up is empty, or holds the id of a record that exists, is not deleted and is of the right
 * object.
 */
export function checkReferences(org: OrgState, object: ObjectDefinition, values: Readonly<Values>): void {
  for (const field of object.fields) {
    const id = values[field.name];
    if (field.reference === undefined || typeof id !== 'string') continue;
    const target = org.schema.object(field.reference.to);
    if (target !== undefined && !id.startsWith(target.keyPrefix)) {
      throw new SalesforceFault(400, 'MALFORMED_ID', `${field.label}: id value of incorrect type: ${id}`, [field.name]);
    }
    const record = target === undefined ? undefined : org.table(target).get(id);
    if (record === undefined) {
      throw new SalesforceFault(400, 'INVALID_CROSS_REFERENCE_KEY', 'invalid cross reference id', [field.name]);
    }
    if (record['IsDeleted'] === true)
      throw new SalesforceFault(400, 'ENTITY_IS_DELETED', 'entity is deleted', [field.name]);
  }
}

function checkedValues(
  object: ObjectDefinition,
  input: Readonly<Record<string, unknown>>,
  permission: 'createable' | 'updateable',
): Values {
  const values: Values = {};
  const refused: string[] = [];
  for (const [name, value] of Object.entries(input)) {
    if (name === 'attributes') continue;
    const field = object.field(name);
    if (field === undefined) throw noSuchColumn(name, object.name);
    if (field.type === 'id') {
      throw new SalesforceFault(400, 'INVALID_FIELD', 'The Id field should not be specified in the sobject data.', [
        'Id',
      ]);
    }
    if (field[permission]) values[field.name] = toFieldValue(field, value);
    else refused.push(field.name);
  }
  if (refused.length > 0) throw notWritable(refused);
  return values;
}

function requiredMissing(fields: readonly FieldDefinition[]): SalesforceFault {
  const names = fields.map((field) => field.name);
  return new SalesforceFault(
    400,
    'REQUIRED_FIELD_MISSING',
    `Required fields are missing: [${names.join(', ')}]`,
    names,
  );
}

function notWritable(names: readonly string[]): SalesforceFault {
  const message =
    `Unable to create/update fields: ${names.join(', ')}. Please check the security settings of this field and verify ` +
    'that it is read/write for your profile or permission set.';
  return new SalesforceFault(400, 'INVALID_FIELD_FOR_INSERT_UPDATE', message, names);
}
