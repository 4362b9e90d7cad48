import { invalidOption } from '../cache.errors.js';
import { anyRecordOf, recordTable, storedDependencies, type Dependency } from '../dependencies.js';

/** Maximum dependencies of one entry. More would make the Lua scripts that commit and drop the entry run long. */
const DEPENDENCIES_MAX = 5000;

/**
 * The dependencies of one value, bounded. Above the bound, the records of the table with the most of them are folded
 * into *any record of that table*, which falls more often and never too late; then those of the next table.
 */
export class DependencySet {
  private readonly all = new Set<Dependency>();
  private readonly folded = new Set<string>();
  private isOverfull = false;

  /** Whether the records of a table have become *any record of that table*. */
  get isFolded(): boolean {
    return this.folded.size > 0;
  }

  add(dependencies: Iterable<Dependency>): void {
    for (const d of dependencies) {
      const table = this.folded.size > 0 ? recordTable(d) : undefined;
      if (this.isOverfull || (table !== undefined && this.folded.has(table))) continue;
      this.all.add(d);
      if (this.all.size > DEPENDENCIES_MAX) this.isOverfull = !this.fold();
    }
  }

  /**
   * All dependencies as the store keeps them for this key; undefined if they are too many and no table is left with two
   * records to fold.
   */
  stored(key: string): Dependency[] | undefined {
    let stored = storedDependencies(key, this.all);
    while (stored.length > DEPENDENCIES_MAX && this.fold()) stored = storedDependencies(key, this.all);
    return this.isOverfull || stored.length > DEPENDENCIES_MAX ? undefined : stored;
  }

  /** The dependencies known so far, as the store keeps them. */
  known(key: string): Dependency[] {
    return storedDependencies(key, this.all);
  }

  /** Folds the records of the table with the most of them; returns false if no table has two. */
  private fold(): boolean {
    const table = this.largestTable();
    if (table === undefined) return false;
    for (const d of this.all) if (recordTable(d) === table) this.all.delete(d);
    this.all.add(anyRecordOf(table));
    this.folded.add(table);
    return true;
  }

  private largestTable(): string | undefined {
    const counts = new Map<string, number>();
    for (const d of this.all) {
      const table = recordTable(d);
      if (table !== undefined) counts.set(table, (counts.get(table) ?? 0) + 1);
    }
    let largest: string | undefined;
    for (const [table, count] of counts) if (count > (counts.get(largest ?? '') ?? 1)) largest = table;
    return largest;
  }
}

/**
 * The dependencies that the store keeps for a written value, folded like those of a built one; throws
 * `CACHE_INVALID_OPTION` if they are too many even so.
 */
export function writtenDependencies(key: string, declared: Iterable<Dependency>): Dependency[] {
  const set = new DependencySet();
  set.add(declared);
  const stored = set.stored(key);
  if (stored) return stored;
  const advice = `${key} depends on more than ${DEPENDENCIES_MAX} things that are no records of a table`;
  throw invalidOption(advice);
}
