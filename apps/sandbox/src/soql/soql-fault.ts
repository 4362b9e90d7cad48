import { SalesforceFault } from '../org/org.errors.js';

/** The error codes of refused queries. */
export type SoqlErrorCode =
  'MALFORMED_QUERY' | 'INVALID_FIELD' | 'INVALID_TYPE' | 'INVALID_QUERY_FILTER_OPERATOR' | 'NUMBER_OUTSIDE_VALID_RANGE';

/** A refusal that shows the place in the query, in Salesforce's form: the text around it, a caret, row and column. */
export function soqlFault(code: SoqlErrorCode, soql: string, position: number, reason: string): SalesforceFault {
  const lineStart = soql.lastIndexOf('\n', position - 1) + 1;
  const row = soql.slice(0, position).split('\n').length;
  const column = position - lineStart + 1;
  const from = Math.max(lineStart, position - 30);
  const lineEnd = soql.indexOf('\n', position);
  const shown = soql.slice(from, Math.min(lineEnd === -1 ? soql.length : lineEnd, position + 30));
  const caret = `${' '.repeat(position - from)}^`;
  return new SalesforceFault(400, code, `\n${shown}\n${caret}\nERROR at Row:${row}:Column:${column}\n${reason}`);
}
