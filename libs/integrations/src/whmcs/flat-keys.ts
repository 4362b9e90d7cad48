/** A name followed by parts in brackets: `invoices[invoice][0][id]`. */
const FLAT_KEY = /^(\w+)((?:\[\w+\])+)$/;

type Tree = Map<string, unknown>;

/**
 * Turns PHP's flat keys (`invoices[invoice][0][id]`, as WHMCS's own examples print them and some of its modules and
 * proxies send them) into nested values; returns an answer without such keys as it is. Lists whose numbers do not run
 * from 0 without a gap stay objects, which no schema accepts as a list. Undefined if the keys contradict each other,
 * such as `a[b]` beside `a` or `a[b][c]`.
 */
export function withoutFlatKeys(answer: Readonly<Record<string, unknown>>): Record<string, unknown> | undefined {
  const entries = Object.entries(answer);
  if (!entries.some(([key]) => FLAT_KEY.test(key))) return answer;
  const root: Tree = new Map();
  for (const [key, value] of entries) {
    const [, name = key, rest = ''] = FLAT_KEY.exec(key) ?? [];
    if (!put(root, [name, ...rest.split(/[[\]]+/).filter((part) => part !== '')], value)) return undefined;
  }
  return Object.fromEntries([...root].map(([key, value]) => [key, plain(value)]));
}

/** Puts the value at its place in the tree; returns false if another value is there, or on the way to it. */
function put(root: Tree, path: readonly string[], value: unknown): boolean {
  let tree = root;
  for (const part of path.slice(0, -1)) {
    const next = tree.get(part) ?? new Map<string, unknown>();
    if (!(next instanceof Map)) return false;
    tree.set(part, next);
    tree = next as Tree;
  }
  const last = path.at(-1) as string;
  if (tree.has(last)) return false;
  tree.set(last, value);
  return true;
}

function plain(value: unknown): unknown {
  if (!(value instanceof Map)) return value;
  const entries = [...(value as Tree)].map(([key, inner]): [string, unknown] => [key, plain(inner)]);
  const byNumber = new Map(entries);
  const isList = entries.every((_, i) => byNumber.has(String(i)));
  return isList ? entries.map((_, i) => byNumber.get(String(i))) : Object.fromEntries(entries);
}
