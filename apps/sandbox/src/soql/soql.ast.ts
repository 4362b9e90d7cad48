import type { StringLiteral } from './tokenizer.js';

/** A field as the query names it: `Account.Name` has two segments. */
export interface FieldPath {
  readonly segments: readonly string[];
  readonly position: number;
}

/** A value as the query writes it. */
export type Literal = { readonly position: number } & (
  | { readonly kind: 'string'; readonly literal: StringLiteral }
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'null' }
  | { readonly kind: 'date' | 'datetime'; readonly text: string }
);

export type CompareOperator = '=' | '!=' | '<' | '<=' | '>' | '>=' | 'LIKE';

/** What a WHERE clause says. `and` and `or` have at least two terms. */
export type Condition =
  | { readonly kind: 'and' | 'or'; readonly terms: readonly Condition[] }
  | { readonly kind: 'not'; readonly term: Condition }
  | { readonly kind: 'compare'; readonly path: FieldPath; readonly operator: CompareOperator; readonly value: Literal }
  | { readonly kind: 'in'; readonly path: FieldPath; readonly isNegated: boolean; readonly values: readonly Literal[] };

export interface OrderTerm {
  readonly path: FieldPath;
  readonly isDescending: boolean;
  readonly nulls: 'first' | 'last';
}

export type SelectItem =
  { readonly kind: 'field'; readonly path: FieldPath } | { readonly kind: 'children'; readonly query: SelectQuery };

/** `SELECT … FROM … WHERE … ORDER BY … LIMIT … OFFSET …`; a child sub-query has the relationship's name as `from`. */
export interface SelectQuery {
  /** Empty for `SELECT COUNT()`. */
  readonly select: readonly SelectItem[];
  readonly isCount: boolean;
  readonly from: { readonly name: string; readonly position: number };
  readonly where: Condition | undefined;
  readonly orderBy: readonly OrderTerm[];
  readonly limit: number | undefined;
  readonly offset: number;
}
