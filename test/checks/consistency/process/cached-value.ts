/** The value that the checker caches: the facts that it was built from, and when. */
export interface CachedValue {
  readonly key: number;
  /** `<process>.<number>`, different for each fetch and each `set`. */
  readonly build: string;
  /** When the fetch began; -1 if it was written with `set`. */
  readonly at: number;
  /** The TTL that the builder requested; the cache may have shortened it. 0: none. */
  readonly ttlMs: number;
  /** `fact.version,fact.version` */
  readonly facts: string;
}
