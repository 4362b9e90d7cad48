import type { FieldValue, OrgRecord } from '../../org/field-definition.js';
import type { ObjectDefinition } from '../../org/object-definition.js';
import type { PathReader, ResolvedPath } from '../parsing/path-reader.js';
import { soqlFault } from '../soql-fault.js';
import type { Condition, FieldPath } from '../soql.ast.js';

type Test = (record: OrgRecord) => boolean;
type Compile = (reader: PathReader, object: ObjectDefinition, condition: Condition) => Test;

/**
 * Compiles `Id IN (SELECT AccountId FROM Order …)`, or NOT IN, to a test. The inner query runs once, before any record
 * is tested. Throws for joins that Salesforce does not allow (SOQL and SOSL Reference, "Semi-Joins with IN and
 * Anti-Joins with NOT IN").
 * @param compile compiles the inner condition
 */
export function compileJoin(
  reader: PathReader,
  object: ObjectDefinition,
  { path, isNegated, query }: Extract<Condition, { kind: 'join' }>,
  compile: Compile,
): Test {
  const left = idPath(reader, object, path);
  const inner = reader.object(query.from);
  if (inner === object) {
    throw malformed(reader, query.path, 'The inner and outer selects should not be on the same object type');
  }
  const selected = idPath(reader, inner, query.path);
  if (targetOf(object, left) !== targetOf(inner, selected)) {
    const reason = `The selected field '${selected.field.name}' in the subquery and the left operand field in the where expression in the outer query '${left.field.name}' should point to the same object type`;
    throw malformed(reader, query.path, reason);
  }
  const test = query.where === undefined ? () => true : compile(reader, inner, query.where);
  const ids = new Set<FieldValue>();
  for (const record of reader.records(inner)) if (test(record)) ids.add(reader.read(selected, record));
  ids.delete(null);
  return (record) => ids.has(reader.read(left, record)) !== isNegated;
}

function idPath(reader: PathReader, object: ObjectDefinition, path: FieldPath): ResolvedPath {
  const resolved = reader.resolve(object, path);
  const isId = resolved.field.type === 'id' || resolved.field.type === 'reference';
  if (isId && resolved.parents.length === 0) return resolved;
  throw malformed(
    reader,
    path,
    `a semi join takes an id or a look-up of ${object.name}, not '${path.segments.join('.')}'`,
  );
}

function targetOf(object: ObjectDefinition, { field }: ResolvedPath): string {
  return field.reference?.to ?? object.name;
}

function malformed(reader: PathReader, path: FieldPath, reason: string) {
  return soqlFault('MALFORMED_QUERY', reader.soql, path.position, reason);
}
