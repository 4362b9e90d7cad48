import { describe, expect, it } from '@jest/globals';
import { storedDependencies } from '@bff/infra/cache/dependencies';
import { seededRandom } from '../../../support/cache/coherence-oracle.js';
import { declaredDependencies, dependencyOf } from '../process/workers/fetcher.js';
import { factCount, factName, facts, keys, neededFacts, settings, someKey, valueText } from './universe.js';

/** The facts of a key in a source where every fact has a version that depends on its number and on the seed. */
function build(key: number, seed: number): { needed: Set<number>; known: Map<number, number> } {
  const known = new Map<number, number>();
  for (;;) {
    const needed = neededFacts(key, known);
    const missing = [...needed].filter((fact) => !known.has(fact));
    if (missing.length === 0) return { needed, known };
    for (const fact of missing) known.set(fact, (fact * 7 + seed) % 11);
  }
}

describe('the checked values', () => {
  const all = keys.map((_, key) => key);

  it('depend, by what their fetchers name and by what follows from it, on every fact that they show', () => {
    for (const key of all) {
      const text = keys[key]?.text ?? '';
      const { needed } = build(key, 3);
      const stored = new Set<string>([...storedDependencies(text, declaredDependencies(needed)), `k:${text}`]);
      for (const fact of needed) expect(stored).toContain(dependencyOf(fact));
    }
  });

  it('are built from other facts when the first ones change', () => {
    const shapes = new Set([0, 1, 2, 3].map((seed) => [...build(0, seed).needed].sort().join()));
    expect(shapes.size).toBeGreaterThan(1);
  });

  it('are equal as texts exactly when they are built from equal versions', () => {
    const { needed, known } = build(1, 5);
    const text = valueText(needed, known);
    expect(valueText([...needed].reverse(), known)).toBe(text);
    const [first] = needed;
    expect(valueText(needed, new Map(known).set(first as number, 99))).not.toBe(text);
  });

  it('are of every kind: few and many dependencies, with and without an end, shared and written by the worker', () => {
    const counts = all.map((key) => build(key, 1).needed.size);
    expect(Math.max(...counts)).toBeGreaterThan(64);
    expect(keys.some(({ ttlMs }) => ttlMs)).toBe(true);
    const ofSettings = all.filter((key) => keys[key]?.table === settings.table);
    for (const key of ofSettings) for (const fact of build(key, 1).needed) expect(factName(fact)).toMatch(/setting/i);
  });

  it('are all asked for, some of them most', () => {
    const random = seededRandom(1);
    const counts = new Map<number, number>();
    for (let i = 0; i < 100_000; i++) {
      const key = someKey(random);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    expect([...counts.keys()].sort((a, b) => a - b)).toEqual(all);
    expect(Math.max(...counts.values())).toBeGreaterThan(5000);
  });

  it('number every fact once', () => {
    const known = new Set(all.flatMap((key) => [...build(key, 1).needed]));
    expect(Math.max(...known)).toBeLessThan(factCount);
    expect(new Set([facts.hub, facts.membership(0), facts.table(0), facts.namespace(0), facts.key(0)]).size).toBe(5);
  });
});
