import type { FieldDefinition, FieldValue, OrgRecord } from '../org/field-definition.js';
import type { ObjectDefinition } from '../org/object-definition.js';
import type { OrgState } from '../org/org-state.js';
import { soqlFault } from './soql-fault.js';
import type { FieldPath } from './soql.ast.js';

/** Look-ups that one path may follow (SOQL and SOSL Reference, "Relationship Query Limitations"). */
const PARENTS_MAX = 5;

/** One look-up on the way to a parent's field. */
export interface ParentStep {
  readonly relationship: string;
  readonly lookup: FieldDefinition;
  readonly object: ObjectDefinition;
}

/** A path that was found in the schema. */
export interface ResolvedPath {
  readonly parents: readonly ParentStep[];
  readonly field: FieldDefinition;
}

/** Finds the paths of one query in the schema and reads them from records. */
export class FieldReader {
  constructor(
    private readonly org: OrgState,
    readonly soql: string,
  ) {}

  /** The field that a path means; INVALID_FIELD if an object on the way has no such field or relationship. */
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
