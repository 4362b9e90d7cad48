import { describe, expect, it } from '@jest/globals';
import { anyRecord, membership, record, wholeTable, type Dependency } from '../dependencies.js';
import { DependencySet, writtenDependencies } from './dependency-set.js';

const KEY = 'orders:account:1';
const records = (table: string, count: number) => Array.from({ length: count }, (_, i) => record(table, `${i}`));

describe('[B9] the dependencies of one entry', () => {
  it('are those that were named, while they are not too many', () => {
    const set = new DependencySet();
    set.add([...records('Order', 3_000), ...records('OrderItem', 1_990), membership('Order')]);
    expect(set.isFolded).toBe(false);
    expect(set.stored(KEY)).toContain(record('OrderItem', '1989'));
  });

  it('fold the records of the largest table when there are too many, whenever they come, and no others', () => {
    const set = new DependencySet();
    set.add(records('Order', 200));
    for (let i = 0; i < 12_000; i++) set.add([record('Order Item', `${i}`)]);
    set.add([membership('Order Item')]);
    const stored = set.stored(KEY) as Dependency[];
    expect(set.isFolded).toBe(true);
    expect(stored).toEqual(expect.arrayContaining([anyRecord('Order Item'), wholeTable('Order Item')]));
    expect(stored).toEqual(expect.arrayContaining([...records('Order', 200), wholeTable('Order')]));
    expect(stored).toHaveLength(200 + 1 + 1 + 2 + 1); // records, any record, membership, whole tables, namespace
  });

  it('fold where only what is implied makes them too many', () => {
    const set = new DependencySet();
    set.add(records('Order', 4_999));
    expect(set.isFolded).toBe(false);
    expect(set.stored(KEY)).toContain(anyRecord('Order'));
  });

  it('fold one table after the other', () => {
    const set = new DependencySet();
    for (const table of ['A', 'B', 'C', 'D']) set.add(records(table, 4_000));
    const stored = set.stored(KEY) as Dependency[];
    expect(stored).toEqual(expect.arrayContaining(['A', 'B', 'C'].map(anyRecord)));
    expect(stored).toContain(record('D', '0'));
  });

  it('are refused where nothing can be folded', () => {
    const memberships = Array.from({ length: 6_000 }, (_, i) => membership(`T${i}`));
    const set = new DependencySet();
    set.add(memberships);
    expect(set.stored(KEY)).toBeUndefined();
    expect(() => writtenDependencies(KEY, memberships)).toThrow(/more than 5000/);
  });
});
