import {
  factOf,
  facts,
  keys,
  recordsPerTable,
  settingKeys,
  settings,
  sharedNamespaces,
  sharedTables,
  someKey,
  type Key,
} from '../../source/universe.js';

export type Operation = 'record' | 'many' | 'hub' | 'membership' | 'table' | 'namespace' | 'del' | 'set';

/** The facts to change, and how the change is announced. `key` is the key to write with `set`. */
export interface PlannedChange {
  readonly operation: Operation;
  readonly facts: readonly number[];
  readonly key?: number;
}

/** Relative frequency of each kind of change. Wide changes cost the cache hundreds of entries, so they are rare. */
const WEIGHTS: Readonly<Record<Operation, number>> = {
  record: 700,
  many: 3,
  hub: 5,
  membership: 60,
  table: 5,
  namespace: 5,
  del: 60,
  set: 80,
};
/**
 * Number of dependencies that a change of kind `many` invalidates at once. If they are more than 200, L1s receive
 * "everything" in their place.
 */
const MANY = 210;

/** A random change. Only the worker changes the facts that settings consist of. */
export function chooseChange(random: () => number, role: 'reader' | 'worker'): PlannedChange {
  const below = (n: number) => Math.floor(random() * n);
  const pick = (all: readonly number[]) => all[below(all.length)] as number;
  const isSetting = role === 'worker' && random() < 0.1;
  const table = () => (isSetting ? settings.table : pick(sharedTables));
  const aRecord = () => facts.record(table(), below(isSetting ? settings.records : recordsPerTable));
  const some = (make: () => number, most: number) => [...new Set(Array.from({ length: 1 + below(most) }, make))];
  const aKey = () => (isSetting ? pick(settingKeys) : below(keys.length - settingKeys.length));
  const operation = chooseOperation(random, role);
  switch (operation) {
    case 'record':
      // Much-read records change most; otherwise most reads could not be wrong.
      return { operation, facts: some(() => (random() < 0.5 ? (rootOfSomeKey(random) ?? aRecord()) : aRecord()), 3) };
    case 'many': {
      const first = below(3 * recordsPerTable - MANY);
      return { operation, facts: Array.from({ length: MANY }, (_, i) => first + i) };
    }
    case 'hub':
      return { operation, facts: [facts.hub] };
    case 'membership':
      return { operation, facts: [facts.membership(table()), aRecord()] };
    case 'table':
      return { operation, facts: [facts.table(table())] };
    case 'namespace':
      return { operation, facts: [facts.namespace(isSetting ? settings.namespace : pick(sharedNamespaces))] };
    case 'del':
      return { operation, facts: some(aKey, 3).map(facts.key) };
    case 'set': {
      const key = pick(settingKeys);
      return { operation, facts: [facts.key(key)], key };
    }
  }
}

/**
 * The record that a much-read key shows; undefined if the key shows no single record, or only the worker may change it.
 */
function rootOfSomeKey(random: () => number): number | undefined {
  const { kind, table, root } = keys[someKey(random)] as Key;
  return kind === 'detail' && sharedTables.includes(table) ? facts.record(table, root) : undefined;
}

/** Whether a value that is written with `set` shows any of these facts. */
export function concernsSettings(changed: readonly number[]): boolean {
  return changed.some((fact) => {
    const { kind, name } = factOf(fact);
    return kind === 'key' ? name.startsWith('settings:') : name === 'Setting' || name === 'settings';
  });
}

function chooseOperation(random: () => number, role: 'reader' | 'worker'): Operation {
  const all = (Object.entries(WEIGHTS) as [Operation, number][]).filter(
    ([name]) => name !== 'set' || role === 'worker',
  );
  let chance = random() * all.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [operation, weight] of all) {
    chance -= weight;
    if (chance < 0) return operation;
  }
  return 'record';
}
