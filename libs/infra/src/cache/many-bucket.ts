import { buildKey, LoadingBucket, type BucketOptions, type KeyParts } from './bucket.js';
import { invalidOption } from './cache.errors.js';
import type { CacheService } from './cache.service.js';
import type { CallOptions, FetchContext } from './cache.types.js';
import { IDS_MAX } from './protocol/limits.js';
import { callForOne, type ManySource } from './read-through/many/many-call.js';
import type { ManyLoader } from './read-through/many/many-loader.js';

export type { ManyContext, ManyLoader } from './read-through/many/many-loader.js';

/** A bucket that fetches many missing entries with one call to the source. */
export class ManyBucket<T, P extends KeyParts = KeyParts> extends LoadingBucket<T, P> {
  private readonly source: ManySource;

  constructor(
    cache: CacheService,
    domain: string,
    name: string,
    options: BucketOptions<T, P> & { readonly loadMany: ManyLoader<T, P> },
  ) {
    const source: ManySource = {
      name: buildKey(domain, name, []),
      load: (many, context) => options.loadMany(many as readonly P[], context), // all ids come from `getMany` or `get`
      keyOf: (parts) => buildKey(domain, name, parts),
    };
    const loadOne = (parts: P, context: FetchContext) => callForOne(source, parts, context) as Promise<T>;
    super(cache, domain, name, { ...options, load: options.load ?? loadOne });
    this.source = source;
  }

  /**
   * Reads these entries, at most 1,000, and answers each in its place: its value, or why there is none. What is missing
   * is fetched by `loadMany`, with one call for up to 200 ids. Each entry is judged and stored by itself, as by `get`:
   * the answers are no snapshot, and need not come from the same time. Rejects `CACHE_INVALID_OPTION` for too many ids.
   */
  async getMany(many: readonly P[], call?: CallOptions<T>): Promise<readonly PromiseSettledResult<T>[]> {
    if (many.length > IDS_MAX) {
      throw invalidOption(`getMany of ${this.prefix} takes at most ${IDS_MAX} ids, not ${many.length}: ask in parts`);
    }
    const partsOf = new Map<string, P>();
    const keys = many.map((parts): string | PromiseRejectedResult => {
      try {
        const key = this.key(parts);
        partsOf.set(key, parts);
        this.recent?.note(key, parts);
        return key;
      } catch (reason) {
        this.metrics.errors++;
        return { status: 'rejected', reason }; // parts that make no key fail alone
      }
    });
    const answers = await this.cache.getMany({
      partsOf,
      source: this.source,
      fetcherOf: (parts) => this.fetcherOf(parts as P),
      options: call ? this.optionsOf(call) : this.current(),
    });
    for (const { status } of answers.values()) if (status === 'rejected') this.metrics.errors++;
    return keys.map((key) => (typeof key === 'string' ? (answers.get(key) as PromiseSettledResult<T>) : key));
  }
}
