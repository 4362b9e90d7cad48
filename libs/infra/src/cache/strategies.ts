/**
 * How the entries of a bucket end: `change-driven` when the source says so, `ttl` after a time, `hybrid` by whichever
 * comes first.
 */
export type Strategy =
  | { readonly kind: 'change-driven' }
  | { readonly kind: 'ttl'; readonly seconds: number }
  | { readonly kind: 'hybrid'; readonly seconds: number };

/** No TTL: an entry is kept until the source says it changed. `CACHE_SAFETY_TTL_SECONDS` may bound it all the same. */
export function changeDriven(): Strategy {
  return { kind: 'change-driven' };
}

/** Kept for `seconds` from the start of the fetch. For sources that announce no changes. */
export function ttl(seconds: number): Strategy {
  return { kind: 'ttl', seconds: positive(seconds) };
}

/** Kept for at most `seconds`, and dropped earlier by a change event. For data that changes without always saying so. */
export function hybrid(seconds: number): Strategy {
  return { kind: 'hybrid', seconds: positive(seconds) };
}

/** The time to live of a strategy, in seconds; undefined where it has none of its own. */
export function strategySeconds(strategy: Strategy): number | undefined {
  return strategy.kind === 'change-driven' ? undefined : strategy.seconds;
}

function positive(seconds: number): number {
  if (!(seconds > 0) || !Number.isFinite(seconds))
    throw new RangeError(`a TTL must be a positive number of seconds, not ${seconds}`);
  return seconds;
}
