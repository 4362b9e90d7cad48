import type { OrgRecord } from '../../org/field-definition.js';
import type { ObjectDefinition } from '../../org/object-definition.js';
import type { ChangeKind, Step } from '../../org/transaction.js';

/** The net change of one record over a whole transaction. */
export interface RecordChange {
  readonly kind: ChangeKind;
  readonly object: ObjectDefinition;
  readonly id: string;
  readonly before: OrgRecord | undefined;
  readonly after: OrgRecord;
}

/**
 * One change for each record that the steps wrote, in the order of each record's first write. Several writes to a
 * record in one transaction are one event with the first kind and the final data (Change Data Capture guide,
 * "Transaction-Based Replication"). A final deletion is a DELETE, or no change for a record created or undeleted in the
 * same transaction; an UNDELETE of a record deleted in the same transaction makes the change an UPDATE.
 */
export function recordChanges(
  steps: readonly Step[],
  now: (object: ObjectDefinition, id: string) => OrgRecord,
): RecordChange[] {
  const changes = new Map<string, RecordChange>();
  for (const step of steps) {
    if (step.kind === 'PUBLISH' || step.kind === 'DERIVED') continue;
    const key = `${step.object.name}:${step.id}`;
    const first = changes.get(key);
    const kind = first === undefined ? step.kind : foldedKind(first.kind, step.kind);
    if (kind === undefined) {
      changes.delete(key);
      continue;
    }
    const before = first === undefined ? step.before : first.before;
    changes.set(key, { kind, object: step.object, id: step.id, before, after: now(step.object, step.id) });
  }
  return [...changes.values()];
}

function foldedKind(first: ChangeKind, next: ChangeKind): ChangeKind | undefined {
  if (next === 'DELETE') return first === 'CREATE' || first === 'UNDELETE' ? undefined : 'DELETE';
  if (next === 'UNDELETE') return 'UPDATE';
  return first;
}
