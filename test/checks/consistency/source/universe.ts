/**
 * The checker's world as numbers that every process derives by itself. A *fact* is anything that can change at the
 * source and can be invalidated: a record, the membership of rows in a table, a whole table, a namespace, a key. Each
 * fact has a version. A value consists only of the versions of the facts that it was built from.
 */
export type FactKind = 'record' | 'membership' | 'table' | 'namespace' | 'key';

export interface Fact {
  readonly kind: FactKind;
  /** The table of a record, a membership or a table; the namespace; the key. */
  readonly name: string;
  /** The record's id; '' for the other kinds. */
  readonly id: string;
}

/**
 * `detail` one record and the records it leads to · `list` the rows of a table · `wide` more records than an L1 entry
 * may have.
 */
export type KeyKind = 'detail' | 'list' | 'wide';

export interface Key {
  readonly text: string;
  readonly kind: KeyKind;
  readonly namespace: number;
  readonly table: number;
  /** The record that a detail shows. */
  readonly root: number;
  /** TTL of the value in milliseconds; undefined: until it is invalidated. */
  readonly ttlMs: number | undefined;
}

/** Versions of facts, as far as they are known. */
export type Versions = ReadonlyMap<number, number>;

const TABLES = ['Order', 'Item', 'Product', 'Setting'];
/**
 * The number of the table whose records only the worker changes, as it does the keys that show them. These keys are
 * also written with `set`.
 */
const SETTINGS = 3;
const NAMESPACES = ['orders', 'catalog', 'portal', 'settings'];
const RECORDS_PER_TABLE = 100;
const DETAILS_PER_NAMESPACE = 150;
const LISTS_PER_NAMESPACE = 12;
const SETTING_KEYS = 20;
const TTL_MS = 400;
/** Shares no factor with the number of keys, so its multiples visit each key. */
const SPREAD = 211;
/** Number of records in a value of kind `wide`: an L1 does not keep an entry with more than 64 dependencies. */
const WIDE_RECORDS = 70;

const FIRST_MEMBERSHIP = TABLES.length * RECORDS_PER_TABLE;
const FIRST_TABLE = FIRST_MEMBERSHIP + TABLES.length;
const FIRST_NAMESPACE = FIRST_TABLE + TABLES.length;
const FIRST_KEY = FIRST_NAMESPACE + NAMESPACES.length;
/** Every detail but those of settings depends on this record, so it has more dependants than one step removes. */
const HUB = 2 * RECORDS_PER_TABLE;

export const keys: readonly Key[] = makeKeys();
export const settingKeys: readonly number[] = keys.flatMap((key, k) => (key.table === SETTINGS ? [k] : []));
export const factCount = FIRST_KEY + keys.length;

export const facts = {
  record: (table: number, id: number) => table * RECORDS_PER_TABLE + (id % RECORDS_PER_TABLE),
  membership: (table: number) => FIRST_MEMBERSHIP + table,
  table: (table: number) => FIRST_TABLE + table,
  namespace: (namespace: number) => FIRST_NAMESPACE + namespace,
  key: (key: number) => FIRST_KEY + key,
  hub: HUB,
};

/** Tables whose facts any process may change. */
export const sharedTables: readonly number[] = [0, 1, 2];
export const sharedNamespaces: readonly number[] = [0, 1, 2];
export const settings = { table: SETTINGS, namespace: 3, records: SETTING_KEYS };
export const recordsPerTable = RECORDS_PER_TABLE;

export function factOf(fact: number): Fact {
  if (fact >= FIRST_KEY) return { kind: 'key', name: keys[fact - FIRST_KEY]?.text ?? '', id: '' };
  if (fact >= FIRST_NAMESPACE) return { kind: 'namespace', name: NAMESPACES[fact - FIRST_NAMESPACE] ?? '', id: '' };
  if (fact >= FIRST_TABLE) return { kind: 'table', name: TABLES[fact - FIRST_TABLE] ?? '', id: '' };
  if (fact >= FIRST_MEMBERSHIP) return { kind: 'membership', name: TABLES[fact - FIRST_MEMBERSHIP] ?? '', id: '' };
  const table = Math.floor(fact / RECORDS_PER_TABLE);
  return { kind: 'record', name: TABLES[table] ?? '', id: String(fact % RECORDS_PER_TABLE) };
}

/** A random key. A few keys are chosen most often, as readers do; these are spread over all kinds. */
export function someKey(random: () => number): number {
  return (Math.floor(keys.length * random() ** 3) * SPREAD) % keys.length;
}

/** A fact's name for reports. */
export function factName(fact: number): string {
  const { kind, name, id } = factOf(fact);
  return kind === 'record' ? `${name} ${id}` : `${kind} ${name}`;
}

/**
 * The facts that the value of a key needs, as far as the known versions show. Call it again with their versions until
 * none is missing: the first records decide which others a value shows, so the set changes with them.
 */
export function neededFacts(key: number, known: Versions): Set<number> {
  const { kind, namespace, table, root } = keys[key] as Key;
  const needed = new Set([facts.namespace(namespace), facts.key(key)]);
  const need = (fact: number): number | undefined => {
    needed.add(fact);
    if (fact < FIRST_MEMBERSHIP) needed.add(facts.table(Math.floor(fact / RECORDS_PER_TABLE)));
    else needed.add(facts.table(fact - FIRST_MEMBERSHIP));
    return known.get(fact);
  };
  if (kind === 'wide') for (let id = 0; id < WIDE_RECORDS; id++) need(facts.record(table, id));
  if (kind === 'list') {
    const rows = need(facts.membership(table));
    if (rows !== undefined) for (const row of picks(key, rows, 2 + (rows % 5), [table])) need(row);
  }
  if (kind === 'detail') {
    const version = need(facts.record(table, root));
    if (table === SETTINGS) return needed;
    need(HUB);
    // As in the models: the first record decides which other records the value shows, and these decide once more.
    const children = version === undefined ? [] : picks(key, version, 1 + (version % 3), sharedTables);
    for (const child of children) {
      const content = need(child);
      if (content !== undefined && content % 2 === 1)
        for (const one of picks(child, content, 1, sharedTables)) need(one);
    }
  }
  return needed;
}

/** The value's facts with their versions, in a fixed order: equal texts mean equal values. */
export function valueText(needed: Iterable<number>, known: Versions): string {
  return [...needed]
    .sort((a, b) => a - b)
    .map((fact) => `${fact}.${known.get(fact) ?? 0}`)
    .join(',');
}

function picks(key: number, version: number, count: number, tables: readonly number[]): number[] {
  return Array.from({ length: count }, (_, i) => {
    const chance = mix(key * 31 + i, version);
    return facts.record(tables[chance % tables.length] as number, Math.floor(chance / 7));
  });
}

/** Spreads two numbers over 31 bits; the same in every process. */
function mix(a: number, b: number): number {
  let h = Math.imul(a + 0x9e3779b9, 0x85ebca6b) ^ Math.imul(b + 1, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  return (h ^ (h >>> 13)) & 0x7fffffff;
}

function makeKeys(): Key[] {
  const made: Key[] = [];
  const add = (kind: KeyKind, namespace: number, table: number, root: number, ttlMs?: number) => {
    const text = `${NAMESPACES[namespace]}:${kind}:${made.length}`;
    made.push({ text, kind, namespace, table, root, ttlMs });
  };
  for (const namespace of [0, 1, 2]) {
    for (let i = 0; i < DETAILS_PER_NAMESPACE; i++) {
      add('detail', namespace, namespace, mix(namespace, i) % RECORDS_PER_TABLE, i % 10 === 3 ? TTL_MS : undefined);
    }
    for (let i = 0; i < LISTS_PER_NAMESPACE; i++)
      add('list', namespace, (namespace + i) % 3, 0, i === 0 ? TTL_MS : undefined);
  }
  add('wide', 2, 0, 0);
  add('wide', 2, 1, 0);
  for (let i = 0; i < SETTING_KEYS; i++) add('detail', 3, SETTINGS, i);
  return made;
}
