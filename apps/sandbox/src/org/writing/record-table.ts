import type { OrgRecord } from '../field-definition.js';
import type { ObjectDefinition } from '../object-definition.js';

/**
 * The records of one object, deleted ones included, in the order of their creation, with an index for each child
 * relationship.
 */
export class RecordTable {
  private readonly records = new Map<string, OrgRecord>();
  private readonly byParent = new Map<string, Map<string, Set<string>>>();

  constructor(readonly object: ObjectDefinition) {}

  get(id: string): OrgRecord | undefined {
    return this.records.get(id);
  }

  all(): IterableIterator<OrgRecord> {
    return this.records.values();
  }

  /** The records whose look-up field holds this id, deleted ones included. */
  childrenOf(lookupField: string, parentId: string): OrgRecord[] {
    const ids = this.index(lookupField).get(parentId);
    return ids === undefined ? [] : [...ids].map((id) => this.records.get(id) as OrgRecord);
  }

  /** Stores a whole record. Records never change in place, so a record that a reader holds stays as it is. */
  put(record: OrgRecord): void {
    const old = this.records.get(record.Id);
    this.records.set(record.Id, record);
    for (const [field, index] of this.byParent) move(index, record.Id, old?.[field], record[field]);
  }

  /** Removes a record as if it had never existed, to undo its creation. */
  forget(id: string): void {
    const old = this.records.get(id);
    this.records.delete(id);
    for (const [field, index] of this.byParent) move(index, id, old?.[field], null);
  }

  private index(lookupField: string): Map<string, Set<string>> {
    const known = this.byParent.get(lookupField);
    if (known !== undefined) return known;
    const index = new Map<string, Set<string>>();
    for (const record of this.records.values()) move(index, record.Id, null, record[lookupField]);
    this.byParent.set(lookupField, index);
    return index;
  }
}

function move(index: Map<string, Set<string>>, id: string, from: unknown, to: unknown): void {
  if (from === to) return;
  if (typeof from === 'string') index.get(from)?.delete(id);
  if (typeof to !== 'string') return;
  const ids = index.get(to);
  if (ids === undefined) index.set(to, new Set([id]));
  else ids.add(id);
}
