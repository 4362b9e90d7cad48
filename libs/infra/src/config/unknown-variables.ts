import type { ConfigProblem } from './config.errors.js';

/**
 * Variables that Kubernetes and Docker links set for a service whose name equals one of our prefixes; REDIS_PORT is one
 * of them.
 */
const serviceLink = /_(SERVICE_(HOST|PORT(_\w+)?)|PORT(_\d+_(TCP|UDP)(_(PROTO|PORT|ADDR))?)?|NAME|ENV_\w+)$/;

/** Which names are the product's. */
export interface OwnVariables {
  readonly known: readonly string[];
  /** An unknown variable with one of these prefixes counts as a typing error, unless it is another program's. */
  readonly prefixes: readonly string[];
  /** Variables of other programs that use one of the prefixes, too. */
  readonly foreign: RegExp;
  /** Names that other products give what one of our variables holds, each with our name and an example. */
  readonly elsewhere: Readonly<Record<string, string>>;
}

/**
 * A problem for each unknown variable with one of our prefixes, with a hint. A variable of another program is no
 * problem, unless it is in `elsewhere` or differs from a known one by at most two characters.
 */
export function unknownVariableProblems(
  names: Iterable<string>,
  { known, prefixes, foreign, elsewhere }: OwnVariables,
): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  for (const name of names) {
    if (known.includes(name) || !prefixes.some((prefix) => name.startsWith(prefix))) continue;
    const meant = Object.hasOwn(elsewhere, name) ? elsewhere[name] : undefined;
    const nearest = nearestVariable(name, known);
    if (meant === undefined && nearest.distance > 2 && (serviceLink.test(name) || foreign.test(name))) continue;
    const suggestion = meant ?? (nearest.distance <= 4 ? nearest.name : undefined);
    const hint = suggestion === undefined ? 'see .env.example' : `did you mean ${suggestion}?`;
    problems.push({ name, given: 'set', expected: `no variable of this name; ${hint}` });
  }
  return problems;
}

function nearestVariable(name: string, known: readonly string[]): { name: string; distance: number } {
  return known
    .map((candidate) => ({ name: candidate, distance: editDistance(name, candidate) }))
    .reduce((best, other) => (other.distance < best.distance ? other : best));
}

/** Levenshtein distance: the number of characters to insert, delete or replace. */
function editDistance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const replaced = (previous[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[to.length] ?? from.length;
}
