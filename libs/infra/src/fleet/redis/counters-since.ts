/**
 * `counters` without what `base` has of them, part by part; numbers that `base` lacks stay whole. For a process whose
 * earlier counts are in the sum already.
 */
export function countersSince(counters: unknown, base: unknown): unknown {
  if (typeof counters === 'number') return typeof base === 'number' ? Math.max(0, counters - base) : counters;
  if (typeof counters !== 'object' || counters === null || Array.isArray(counters)) return counters;
  const earlier = (typeof base === 'object' && base !== null ? base : {}) as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries(counters).map(([name, value]) => [name, countersSince(value, earlier[name])]),
  );
}
