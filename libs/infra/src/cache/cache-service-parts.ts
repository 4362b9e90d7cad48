import type { ChangeFeeds } from './feeds/change-feeds.js';
import type { ProcessReports } from './process-reports.js';
import type { ReadDefaults } from './read-through/get-or-set-options.js';
import type { CacheStore } from './store/cache-store.js';
import type { ValueCodec } from './values/value-codec.js';

/** What a cache is put together from. Made by `composeCache`. */
export interface CacheServiceParts {
  readonly store: CacheStore;
  readonly codec: ValueCodec;
  readonly reports: ProcessReports;
  /** Undefined: change-driven entries are trusted for ever, whoever follows what. */
  readonly feeds?: ChangeFeeds | undefined;
  readonly defaults: ReadDefaults;
  /** Fetches at the same time while the store is away. */
  readonly bypassConcurrency: number;
  /** Called when the cache has closed, to end what was opened for it alone. */
  readonly afterClose?: () => Promise<void>;
}
