import type { FieldDefinition, FieldValue, OrgRecord } from '../../org/field-definition.js';
import type { ObjectDefinition } from '../../org/object-definition.js';
import type { SalesforceFault } from '../../org/org.errors.js';
import type { FieldPath, ObjectName } from '../soql.ast.js';

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

/**
 * Finds the objects and fields that a condition or an order names, and reads them from a record or a group of records.
 */
export interface PathReader {
  readonly soql: string;
  /** The org's time, for `TODAY` and the like. */
  readonly now: number;
  /** The object that a FROM clause names; throws if it cannot be queried. */
  object(from: ObjectName): ObjectDefinition;
  /** The object's records that the query may see. */
  records(object: ObjectDefinition): Iterable<OrgRecord>;
  /** The field that a path names; throws if there is none. */
  resolve(object: ObjectDefinition, path: FieldPath): ResolvedPath;
  /** The value at the end of the path; null if a look-up on the way is empty. */
  read(path: ResolvedPath, record: OrgRecord): FieldValue;
  invalid(path: FieldPath, reason: string): SalesforceFault;
}
