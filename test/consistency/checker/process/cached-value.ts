/** What the checker puts into the cache: what a value was built from, and when. */
export interface CachedValue {
  readonly key: number;
  /** `<process>.<number>`, different for each fetch and each `set`. */
  readonly build: string;
  /** When the fetch began; -1 if it was written with `set`. */
  readonly at: number;
  /** That the builder asked for; the cache may have shortened it. 0: none. */
  readonly ttlMs: number;
  /** `fact.version,fact.version` */
  readonly facts: string;
}
