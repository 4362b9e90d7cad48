import type { StringLiteral } from './parsing/tokenizer.js';

/** The aggregate functions over the records of a group. */
export const AGGREGATES = ['COUNT', 'COUNT_DISTINCT', 'SUM', 'AVG', 'MIN', 'MAX'] as const;
export type Aggregate = (typeof AGGREGATES)[number];

/** A field as the query names it: `Account.Name` has two segments; `MAX(Account.Name)` also has an aggregate. */
export interface FieldPath {
  readonly segments: readonly string[];
  readonly position: number;
  readonly aggregate?: Aggregate;
}

/** A value as the query writes it. */
export type Literal = { readonly position: number } & (
  | { readonly kind: 'string'; readonly literal: StringLiteral }
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'null' }
  | { readonly kind: 'date' | 'datetime'; readonly text: string }
  /** A span of time relative to today: `LAST_MONTH`, or `LAST_N_DAYS:7` with its number. */
  | { readonly kind: 'span'; readonly name: string; readonly count: number }
);

export type CompareOperator = '=' | '!=' | '<' | '<=' | '>' | '>=' | 'LIKE';

/** The query of a semi-join: `Id IN (SELECT AccountId FROM Order WHERE …)`. */
export interface JoinQuery {
  readonly path: FieldPath;
  readonly from: ObjectName;
  readonly where: Condition | undefined;
}

/** The condition of a WHERE or HAVING clause. `and` and `or` have at least two terms. */
export type Condition =
  | { readonly kind: 'and' | 'or'; readonly terms: readonly Condition[] }
  | { readonly kind: 'not'; readonly term: Condition }
  | { readonly kind: 'compare'; readonly path: FieldPath; readonly operator: CompareOperator; readonly value: Literal }
  | { readonly kind: 'in'; readonly path: FieldPath; readonly isNegated: boolean; readonly values: readonly Literal[] }
  | { readonly kind: 'join'; readonly path: FieldPath; readonly isNegated: boolean; readonly query: JoinQuery };

export interface OrderTerm {
  readonly path: FieldPath;
  readonly isDescending: boolean;
  readonly nulls: 'first' | 'last';
}

export interface ObjectName {
  readonly name: string;
  readonly position: number;
}

/** A selected field or aggregate; only a grouped query may give it an alias. */
export interface SelectedField {
  readonly kind: 'field';
  readonly path: FieldPath;
  readonly alias: string | undefined;
}

export type SelectItem = SelectedField | { readonly kind: 'children'; readonly query: SelectQuery };

/**
 * `SELECT … FROM … WHERE … GROUP BY … HAVING … ORDER BY … LIMIT … OFFSET …`; a child sub-query has the relationship's
 * name as `from`.
 */
export interface SelectQuery {
  /** Empty for `SELECT COUNT()`. */
  readonly select: readonly SelectItem[];
  readonly isCount: boolean;
  readonly from: ObjectName;
  readonly where: Condition | undefined;
  readonly groupBy: readonly FieldPath[];
  readonly having: Condition | undefined;
  readonly orderBy: readonly OrderTerm[];
  readonly limit: number | undefined;
  readonly offset: number;
}

/** Whether the query answers groups of records: it has GROUP BY, or an aggregate over all records. */
export function isGrouped({ select, groupBy }: SelectQuery): boolean {
  return groupBy.length > 0 || select.some((item) => item.kind === 'field' && item.path.aggregate !== undefined);
}
