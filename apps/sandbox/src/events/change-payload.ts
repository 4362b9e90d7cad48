import type { FieldDefinition, FieldValue, OrgRecord } from '../org/field-definition.js';
import type { ObjectDefinition } from '../org/object-definition.js';
import type { RecordChange } from './record-changes.js';

/** The record fields of a change event in CometD's JSON, and the names that its header lists as changed. */
export interface ChangeBody {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly changedFields: readonly string[];
}

/**
 * What the event of this change carries (Change Data Capture guide, "Change Event Message Structure"): on CREATE and
 * UNDELETE every field that is not empty, on UPDATE the changed ones and LastModifiedDate, on DELETE none. Undefined if
 * an update changed nothing that events carry.
 */
export function changeBody(change: RecordChange): ChangeBody | undefined {
  if (change.kind === 'DELETE') return { fields: {}, changedFields: [] };
  if (change.kind === 'UPDATE') return updateBody(change);
  const omitted = change.kind === 'CREATE' ? change.object.traits.notInCreateEvents : undefined;
  const filled = capturedFields(change.object).filter(
    (field) => (change.after[field.name] ?? null) !== null && omitted?.includes(field.name) !== true,
  );
  return { fields: nested(filled, change.after), changedFields: [] };
}

function updateBody({ object, before, after }: RecordChange): ChangeBody | undefined {
  const changed = capturedFields(object).filter(
    (field) => field.name !== 'LastModifiedDate' && (before?.[field.name] ?? null) !== (after[field.name] ?? null),
  );
  if (changed.length === 0) return undefined;
  const stamp = object.field('LastModifiedDate') as FieldDefinition;
  const fields = [...changed, stamp];
  return { fields: nested(fields, after), changedFields: fields.map(nameInHeader) };
}

function capturedFields(object: ObjectDefinition): FieldDefinition[] {
  return [...object.fields].filter((field) => field.captured);
}

/** Parts of a compound field are listed as `BillingAddress.Street` (guide, "Get Compound Fields in Change Events"). */
function nameInHeader(field: FieldDefinition): string {
  return field.part === undefined ? field.name : `${field.part.of}.${field.part.as}`;
}

function nested(fields: readonly FieldDefinition[], record: OrgRecord): Record<string, unknown> {
  const body: Record<string, unknown> = {};
  for (const field of fields) {
    const value: FieldValue = record[field.name] ?? null;
    if (field.part === undefined) body[field.name] = value;
    else body[field.part.of] = { ...(body[field.part.of] as object | undefined), [field.part.as]: value };
  }
  return body;
}
