import { KeyPattern } from './protocol/key-pattern.js';
import type { CacheStore } from './protocol/cache-store.js';

const PAGE = 500;

/** Operations on all live entries whose keys match a pattern, in pages, never all at once. */
export class PatternOperations {
  constructor(private readonly store: CacheStore) {}

  /** Pages of matching keys; none is empty. */
  async *pages(pattern: string): AsyncIterable<string[]> {
    const matcher = new KeyPattern(pattern);
    for await (const keys of this.store.keys()) {
      const matched = keys.filter((key) => matcher.matches(key));
      for (let i = 0; i < matched.length; i += PAGE) yield matched.slice(i, i + PAGE);
    }
  }

  /** The sum of `count` over all pages. */
  async sum(pattern: string, count: (keys: string[]) => number | Promise<number>): Promise<number> {
    let sum = 0;
    for await (const keys of this.pages(pattern)) sum += await count(keys);
    return sum;
  }
}
