import type { FieldDefinition, FieldValue } from '../org/field-definition.js';
import type { ObjectDefinition } from '../org/object-definition.js';
import type { ChangeContent } from './org-event.js';
import type { RecordChange } from './changes/record-changes.js';
import { unifiedDiff } from './changes/unified-diff.js';

/** The part of an event that describes the record itself, beside the header. */
export type ChangeBody = Pick<ChangeContent, 'fields' | 'changed' | 'diffs' | 'enriched'>;

/** The body of an event that announces a change without its data: a gap, an overflow, a deletion or the like. */
export const EMPTY_BODY: ChangeBody = { fields: {}, changed: [], diffs: [], enriched: [] };

/**
 * The body of this change's event (Change Data Capture guide, "Change Event Body Fields"): every captured field on
 * UNDELETE, and on CREATE except those that the object's CREATE events lack; the changed ones and LastModifiedDate on
 * UPDATE; none on DELETE. Undefined if an update changed no captured field besides LastModifiedDate.
 */
export function changeBody(change: RecordChange): ChangeBody | undefined {
  if (change.kind === 'DELETE') return EMPTY_BODY;
  if (change.kind === 'UPDATE') return updateBody(change);
  const omitted = change.kind === 'CREATE' ? change.object.traits.notInCreateEvents : undefined;
  const fields: Record<string, FieldValue> = {};
  for (const { name } of capturedFields(change.object)) {
    if (omitted?.includes(name) !== true) fields[name] = change.after[name] ?? null;
  }
  return { ...EMPTY_BODY, fields };
}

function updateBody({ object, before, after }: RecordChange): ChangeBody | undefined {
  const changed = capturedFields(object)
    .map(({ name }) => name)
    .filter((name) => name !== 'LastModifiedDate' && (before?.[name] ?? null) !== (after[name] ?? null));
  if (changed.length === 0) return undefined;
  const fields: Record<string, FieldValue> = {};
  const diffs: string[] = [];
  for (const name of changed) {
    const diff = unifiedDiff(before?.[name], after[name]);
    if (diff !== undefined) diffs.push(name);
    fields[name] = diff ?? after[name] ?? null;
  }
  fields['LastModifiedDate'] = after['LastModifiedDate'] ?? null;
  return { fields, changed: [...changed, 'LastModifiedDate'], diffs, enriched: [] };
}

function capturedFields(object: ObjectDefinition): FieldDefinition[] {
  return [...object.fields].filter((field) => field.captured);
}
