import type { OrgRecord } from '../../org/field-definition.js';
import type { ObjectDefinition } from '../../org/object-definition.js';
import type { PathReader } from '../parsing/path-reader.js';
import type { OrderTerm } from '../soql.ast.js';

type Comparison = (a: OrgRecord, b: OrgRecord) => number;

/**
 * The comparison that the terms of an ORDER BY mean; undefined if there are no terms. Text is compared without regard
 * to case; empty values come first by default.
 */
export function compileOrder(
  reader: PathReader,
  object: ObjectDefinition,
  terms: readonly OrderTerm[],
): Comparison | undefined {
  if (terms.length === 0) return undefined;
  const comparisons = terms.map((term) => compileTerm(reader, object, term));
  return (a, b) => {
    for (const compare of comparisons) {
      const result = compare(a, b);
      if (result !== 0) return result;
    }
    return 0;
  };
}

function compileTerm(reader: PathReader, object: ObjectDefinition, term: OrderTerm): Comparison {
  const path = reader.resolve(object, term.path);
  if (path.field.type === 'address') {
    throw reader.invalid(term.path, `field '${path.field.name}' can not be sorted in a query call`);
  }
  const nullSign = term.nulls === 'first' ? -1 : 1;
  const sign = term.isDescending ? -1 : 1;
  return (a, b) => {
    const left = sortable(reader.read(path, a));
    const right = sortable(reader.read(path, b));
    if (left === right) return 0;
    if (left === null) return nullSign;
    if (right === null) return -nullSign;
    return left < right ? -sign : sign;
  };
}

function sortable(value: string | number | boolean | null): string | number | boolean | null {
  return typeof value === 'string' ? value.toLowerCase() : value;
}
