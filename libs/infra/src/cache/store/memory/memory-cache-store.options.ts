import { invalidOption } from '../../cache.errors.js';

export interface MemoryCacheStoreOptions {
  /**
   * Maximum bytes of all entries together, the index included. Beyond it the least recently used are evicted; an entry
   * larger than this is accepted and not kept, so its readers see a miss. Stale copies may take a quarter more.
   * @default 67108864 (64 MiB)
   */
  readonly maxBytes?: number;
  /**
   * Maximum dependencies whose last invalidation is remembered, to judge the commits of builds that began before it.
   * @default 10000
   */
  readonly windowMax?: number;
  /**
   * The time in milliseconds, by which entries and leases expire. No guarantee of coherence depends on it.
   * @default Date.now
   */
  readonly clock?: () => number;
  /** Receives the error that a listener threw. @default a process warning */
  readonly onListenerError?: (error: unknown) => void;
}

export type ResolvedMemoryCacheStoreOptions = Readonly<Required<MemoryCacheStoreOptions>>;

/** Applies the defaults; throws `CACHE_INVALID_OPTION` for a bound that is not a positive whole number. */
export function resolveMemoryCacheStoreOptions(options: MemoryCacheStoreOptions): ResolvedMemoryCacheStoreOptions {
  return Object.freeze({
    maxBytes: bound('maxBytes', options.maxBytes ?? 64 * 1024 * 1024),
    windowMax: bound('windowMax', options.windowMax ?? 10_000),
    clock: options.clock ?? Date.now,
    onListenerError: options.onListenerError ?? warn,
  });
}

function bound(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value > 0) return value;
  const text = `${name} must be a positive whole number, not ${value}: the embedded store is always bounded`;
  throw invalidOption(text);
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : new Error(String(error)));
}
