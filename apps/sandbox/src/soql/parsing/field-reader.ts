import type { FieldValue, OrgRecord } from '../../org/field-definition.js';
import type { ObjectDefinition } from '../../org/object-definition.js';
import type { OrgState } from '../../org/org-state.js';
import type { ChildRelationship } from '../../org/schema.js';
import type { ParentStep, PathReader, ResolvedPath } from './path-reader.js';
import { soqlFault } from '../soql-fault.js';
import type { FieldPath, ObjectName } from '../soql.ast.js';

/** Maximum look-ups in one path (SOQL and SOSL Reference, "Relationship Query Limitations"). */
const PARENTS_MAX = 5;

/** The records and objects that a query sees. */
export interface QueryScope {
  /** Whether records in the recycle bin count (`/queryAll`). */
  readonly withDeleted: boolean;
  /** Whether the object exists for the user; parents and children are not checked. */
  readonly mayRead: (object: ObjectDefinition) => boolean;
}

/** Finds the objects and paths of one query in the schema and reads them from records. */
export class FieldReader implements PathReader {
  /** The time of the query, fixed at its start, so that `TODAY` means one day throughout. */
  readonly now: number;

  constructor(
    private readonly org: OrgState,
    readonly soql: string,
    private readonly scope: QueryScope,
  ) {
    this.now = org.clock.now();
  }

  /** The object that a FROM clause names. Throws INVALID_TYPE if there is none that can be queried. */
  object(from: ObjectName): ObjectDefinition {
    const named = this.org.schema.object(from.name);
    const object = named !== undefined && this.scope.mayRead(named) ? named : undefined;
    if (object !== undefined && object.traits.isEvent !== true) return object;
    const reason = object
      ? `entity type ${object.name} does not support query`
      : `sObject type '${from.name}' is not supported. If you are attempting to use a custom object, be sure to append the '__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names.`;
    throw soqlFault('INVALID_TYPE', this.soql, from.position, reason);
  }

  /** The child relationship that a sub-query names. Throws INVALID_TYPE if the object has none of this name. */
  children(parent: ObjectDefinition, from: ObjectName): ChildRelationship & { readonly name: string } {
    const wanted = from.name.toLowerCase();
    const found = this.org.schema.children(parent).find(({ name }) => name?.toLowerCase() === wanted);
    if (found?.name !== undefined) return { ...found, name: found.name };
    const reason = `Didn't understand relationship '${from.name}' in FROM part of query call. If you are attempting to use a custom relationship, be sure to append the '__r' after the custom relationship name.`;
    throw soqlFault('INVALID_TYPE', this.soql, from.position, reason);
  }

  /** The object's records that the query may see, one after the other. */
  *records(object: ObjectDefinition): Generator<OrgRecord> {
    for (const record of this.org.table(object).all()) {
      if (this.scope.withDeleted || record['IsDeleted'] !== true) yield record;
    }
  }

  /**
   * The field that a path names. Throws INVALID_FIELD if an object on the way has no such field or relationship, or the
   * way is too long.
   */
  resolve(object: ObjectDefinition, path: FieldPath): ResolvedPath {
    const names = [...path.segments];
    const name = names.pop() as string;
    // The object's own name may stand in front of its fields: `SELECT Order.Id FROM Order`.
    if (names[0]?.toLowerCase() === object.name.toLowerCase() && object.parent(names[0]) === undefined) names.shift();
    if (names.length > PARENTS_MAX)
      throw this.invalid(path, `a path follows no more than ${PARENTS_MAX} relationships`);
    const parents: ParentStep[] = [];
    let current = object;
    for (const relationship of names) {
      const lookup = current.parent(relationship);
      const target = lookup?.reference && this.org.schema.object(lookup.reference.to);
      if (lookup?.reference?.relationship === undefined || target === undefined) {
        throw this.invalid(
          path,
          `Didn't understand relationship '${relationship}' in field path of entity '${current.name}'.`,
        );
      }
      parents.push({ relationship: lookup.reference.relationship, lookup, object: target });
      current = target;
    }
    const field = current.field(name);
    if (field === undefined) throw this.invalid(path, noSuchColumn(name, current.name));
    return { parents, field };
  }

  /** The value at the end of the path; null if a look-up on the way is empty. */
  read(path: ResolvedPath, record: OrgRecord): FieldValue {
    let current: OrgRecord | undefined = record;
    for (const step of path.parents) current = current && this.parent(step, current);
    return current?.[path.field.name] ?? null;
  }

  parent(step: ParentStep, record: OrgRecord): OrgRecord | undefined {
    const id = record[step.lookup.name];
    return typeof id === 'string' ? this.org.table(step.object).get(id) : undefined;
  }

  invalid(path: FieldPath, reason: string) {
    return soqlFault('INVALID_FIELD', this.soql, path.position, reason);
  }
}

function noSuchColumn(name: string, entity: string): string {
  return (
    `No such column '${name}' on entity '${entity}'. If you are attempting to use a custom field, be sure to append the ` +
    "'__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names."
  );
}
