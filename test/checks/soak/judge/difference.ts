/**
 * The first difference between two bodies, as `path: found, expected`; undefined if they are equal. Rows of a list are
 * matched by their id; the order of rows is not compared.
 */
export function differenceOf(found: unknown, expected: unknown, path = ''): string | undefined {
  if (Array.isArray(found) && Array.isArray(expected)) return listDifference(found, expected, path);
  if (isObject(found) && isObject(expected)) {
    const names = [...new Set([...Object.keys(found), ...Object.keys(expected)])];
    return firstOf(names, (name) => differenceOf(found[name], expected[name], path === '' ? name : `${path}.${name}`));
  }
  if (Object.is(found, expected)) return undefined;
  return `${path || 'body'} is ${shown(found)}, the org holds ${shown(expected)}`;
}

function listDifference(found: readonly unknown[], expected: readonly unknown[], path: string): string | undefined {
  if (![...found, ...expected].every((row) => idOf(row) !== undefined)) {
    if (found.length !== expected.length) return `${path} has ${found.length} entries, the org ${expected.length}`;
    return firstOf([...found.keys()], (i) => differenceOf(found[i], expected[i], `${path}[${i}]`));
  }
  const [left, right] = [byId(found), byId(expected)];
  return firstOf([...new Set([...left.keys(), ...right.keys()])], (id) => {
    if (!right.has(id)) return `${path}[${id}] is shown, the org has none`;
    if (!left.has(id)) return `${path}[${id}] is missing`;
    return differenceOf(left.get(id), right.get(id), `${path}[${id}]`);
  });
}

function firstOf<T>(values: readonly T[], difference: (value: T) => string | undefined): string | undefined {
  for (const value of values) {
    const found = difference(value);
    if (found !== undefined) return found;
  }
  return undefined;
}

function byId(rows: readonly unknown[]): Map<string, unknown> {
  return new Map(rows.map((row) => [idOf(row) as string, row]));
}

function idOf(row: unknown): string | undefined {
  return isObject(row) && typeof row['id'] === 'string' ? row['id'] : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  return value === undefined ? 'not there' : (JSON.stringify(value)?.slice(0, 120) ?? 'not there');
}
