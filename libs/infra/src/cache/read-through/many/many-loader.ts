import type { FetchContext } from '../../cache.types.js';
import type { Dependency } from '../../dependencies.js';

/** What `loadMany` tells the cache while it fetches. */
export interface ManyContext {
  /** Names dependencies of every value of this call, as `FetchContext.dependsOn` does. */
  readonly dependsOn: (...dependencies: Dependency[]) => void;
  /** The context of one of the ids: names what its value alone depends on. Throws for an id of another call. */
  readonly of: (parts: readonly string[]) => Pick<FetchContext, 'dependsOn'>;
  /** Aborted when the cache closes, or when the fetches of all these ids take too long. */
  readonly signal: AbortSignal;
}

/**
 * The call to the source for many ids, at most 200. It answers one value for each id, in the order of the ids: the
 * value; `null` for an id that the source does not have, which is stored like a value, so name the record and the table
 * in which it would appear; `undefined` for an answer that is not to be stored; an `Error` for an id that failed alone.
 * If it rejects, all its ids fail.
 */
export type ManyLoader<T, P extends readonly string[] = readonly string[]> = (
  many: readonly P[],
  context: ManyContext,
) => Promise<readonly (T | undefined | Error)[]>;
