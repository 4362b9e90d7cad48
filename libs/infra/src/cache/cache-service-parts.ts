import type { ChangeFeeds } from './feeds/change-feeds.js';
import type { CounterReports } from './cache.types.js';
import type { ReadDefaults } from './read-through/get-or-set-options.js';
import type { CacheStore } from './protocol/cache-store.js';
import type { ValueCodec } from './protocol/value-codec.js';

/** The parts of a `CacheService`, made by `composeCache`. */
export interface CacheServiceParts {
  readonly store: CacheStore;
  readonly codec: ValueCodec;
  /** @default the counters of this process alone */
  readonly reports?: CounterReports | undefined;
  /** Undefined: change-driven entries are trusted for ever, even if no process follows their feeds. */
  readonly feeds?: ChangeFeeds | undefined;
  readonly defaults: ReadDefaults;
  /** Maximum concurrent fetches while the store is away. */
  readonly bypassConcurrency: number;
  /** Called after the cache has closed, to close what was opened for it alone. */
  readonly afterClose?: () => Promise<void>;
}
