import { randomUUID } from 'node:crypto';
import { completed, rollUp, type Derive } from './writing/order-rules.js';
import { withParentIds } from './external-ids.js';
import { checkUnique } from './writing/unique-fields.js';
import type { FieldValue, OrgRecord } from './field-definition.js';
import { toFieldValue } from './writing/field-input.js';
import type { ObjectDefinition } from './object-definition.js';
import { entityIsDeleted, notFound, SalesforceFault } from './org.errors.js';
import type { OrgState } from './org-state.js';
import { checkReferences, createdValues, updatedValues } from './writing/write-checks.js';

/** The kind of a record's change, as its event names it. */
export type ChangeKind = 'CREATE' | 'UPDATE' | 'DELETE' | 'UNDELETE';

/**
 * One write of a transaction, with the data to undo it. `DERIVED` writes (roll-ups, inherited values, cleared look-ups)
 * announce nothing.
 */
export type Step =
  | {
      readonly kind: ChangeKind | 'DERIVED';
      readonly object: ObjectDefinition;
      readonly id: string;
      readonly before: OrgRecord | undefined;
    }
  | {
      readonly kind: 'PUBLISH';
      readonly object: ObjectDefinition;
      /** The universally unique id of the event. */
      readonly uuid: string;
      readonly payload: Readonly<Record<string, FieldValue>>;
    };

/** The writer, and the time of the writes. */
export interface WriteContext {
  /** `com/salesforce/api/rest/67.0;client=…`, or empty for writes of the org itself. */
  readonly origin: string;
  readonly userId: string;
  /** Stamps the records instead of the clock, so that made-up data can have a past. */
  readonly at?: string;
}

/**
 * A series of writes, which it sees itself at once and which are announced together at its end. `Org.transaction`
 * creates it; `rollbackTo` undoes everything after a mark.
 */
export class Transaction {
  readonly steps: Step[] = [];

  constructor(
    readonly org: OrgState,
    readonly context: WriteContext,
  ) {}

  /** Stores a new record (or publishes a platform event) and returns its id. */
  create(objectName: string, input: Readonly<Record<string, unknown>>): string {
    const object = this.org.writableObject(objectName);
    const values = createdValues(object, withParentIds(this.org, object, input));
    const id = this.org.ids.next(object.keyPrefix);
    const at = this.context.at ?? this.org.clock.stamp();
    if (object.traits.isEvent) {
      this.steps.push({
        kind: 'PUBLISH',
        object,
        uuid: randomUUID(),
        payload: { CreatedDate: at, CreatedById: this.context.userId, ...values },
      });
      return id;
    }
    checkReferences(this.org, object, values);
    checkUnique(this.org, object, values);
    const record: OrgRecord = {
      ...emptyRecord(object),
      ...values,
      Id: id,
      IsDeleted: false,
      CreatedDate: at,
      CreatedById: this.context.userId,
      LastModifiedDate: at,
      LastModifiedById: this.context.userId,
      SystemModstamp: at,
    };
    if (object.field('OwnerId') && record['OwnerId'] === null) record['OwnerId'] = this.context.userId;
    this.write('CREATE', object, completed(this.org, this.derive, object, record));
    return id;
  }

  /** Changes the named fields. A write that changes no value leaves the record, its time stamps included, as it was. */
  update(objectName: string, id: string, input: Readonly<Record<string, unknown>>): void {
    const object = this.org.writableObject(objectName);
    const before = this.live(object, id);
    const values = updatedValues(object, withParentIds(this.org, object, input));
    checkReferences(this.org, object, values);
    checkUnique(this.org, object, values, id);
    const after = completed(this.org, this.derive, object, { ...before, ...values });
    if (Object.keys(after).every((name) => after[name] === before[name])) return;
    this.write('UPDATE', object, this.stamped(after));
  }

  /**
   * Moves a record and its cascading children to the recycle bin. Throws DELETE_FAILED while a record refers to it by a
   * look-up that restricts the deletion; other look-ups are cleared.
   */
  delete(objectName: string, id: string): void {
    const object = this.org.writableObject(objectName);
    const before = this.live(object, id);
    for (const { child, field } of this.org.schema.children(object)) {
      const children = this.org
        .table(child)
        .childrenOf(field.name, id)
        .filter((record) => record['IsDeleted'] !== true);
      const onDelete = field.reference?.onDelete;
      if (onDelete === 'restrict' && children.length > 0) throw isReferredTo(before, child, children.length);
      for (const record of children) {
        if (onDelete === 'cascade') this.delete(child.name, record.Id);
        else this.derive(child, record.Id, { [field.name]: null });
      }
    }
    // Read again, because the roll-up over its deleted children may have changed it.
    this.write('DELETE', object, { ...this.stamped(this.live(object, id)), IsDeleted: true });
  }

  /** Restores a record from the recycle bin, without the records deleted together with it. */
  undelete(objectName: string, id: string): void {
    const object = this.org.writableObject(objectName);
    const before = this.org.table(object).get(id);
    if (before === undefined) throw notFound();
    if (before['IsDeleted'] !== true) return;
    checkUnique(this.org, object, before, id);
    this.write('UNDELETE', object, { ...this.stamped(before), IsDeleted: false });
  }

  /**
   * Writes a roll-up, an inherited value or a cleared look-up: nothing else in the record changes, and no event
   * announces it.
   */
  private readonly derive: Derive = (object, id, values) => {
    const before = this.org.table(object).get(id);
    if (before === undefined || Object.keys(values).every((name) => before[name] === values[name])) return;
    this.put('DERIVED', object, { ...before, ...values });
  };

  mark(): number {
    return this.steps.length;
  }

  /** Undoes everything done since the mark. */
  rollbackTo(mark: number): void {
    while (this.steps.length > mark) {
      const step = this.steps.pop() as Step;
      if (step.kind === 'PUBLISH') continue;
      const table = this.org.table(step.object);
      if (step.before === undefined) table.forget(step.id);
      else table.put(step.before);
    }
  }

  private live(object: ObjectDefinition, id: string): OrgRecord {
    const record = this.org.table(object).get(id);
    if (record === undefined) throw notFound();
    if (record['IsDeleted'] === true) throw entityIsDeleted();
    return record;
  }

  private stamped(record: OrgRecord): OrgRecord {
    const at = this.context.at ?? this.org.clock.stamp();
    return { ...record, LastModifiedDate: at, LastModifiedById: this.context.userId, SystemModstamp: at };
  }

  private write(kind: ChangeKind, object: ObjectDefinition, after: OrgRecord): void {
    this.put(kind, object, after);
    rollUp(this.org, this.derive, object, after);
  }

  private put(kind: ChangeKind | 'DERIVED', object: ObjectDefinition, after: OrgRecord): void {
    const table = this.org.table(object);
    this.steps.push({ kind, object, id: after.Id, before: table.get(after.Id) });
    table.put(after);
  }
}

function emptyRecord(object: ObjectDefinition): Record<string, FieldValue> {
  const record: Record<string, FieldValue> = {};
  for (const field of object.fields) {
    if (field.type !== 'address')
      record[field.name] = field.defaultValue === null ? null : toFieldValue(field, field.defaultValue);
  }
  return record;
}

function isReferredTo(record: OrgRecord, child: ObjectDefinition, count: number): SalesforceFault {
  const message = `Your attempt to delete ${record.Id} could not be completed because it is associated with ${count} record(s) of ${child.name}. Delete those first.`;
  return new SalesforceFault(400, 'DELETE_FAILED', message);
}
