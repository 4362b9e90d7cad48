import type { OnSplit } from '../../../redis/primary-vouch.js';
import { invalidOption } from '../../cache.errors.js';
import type { L1Options } from './l1/redis-l1.js';
import type { RedisConnection } from './partition/scripts.js';

export interface RedisCacheStoreOptions {
  /** The connection for commands. It must not queue while offline, or reads would wait for an absent server. */
  readonly redis: RedisConnection;
  /** Name of the application; part of the hash tag that begins every key. */
  readonly appName: string;
  /** Number of slices of the key space; the same in every process. @default 1 */
  readonly partitions?: number;
  /** Maximum time in milliseconds that an entry is kept, unless its TTL is extended beyond it. @default 30 days */
  readonly retentionMs?: number;
  /** About how many invalidated dependencies a partition remembers, to judge older builds. @default 10000 */
  readonly windowMax?: number;
  /** Maximum dependants that one script of an invalidation removes; the sweeper removes the rest. @default 1000 */
  readonly inlineMax?: number;
  /** Keeps entries in this process as well. @default none */
  readonly l1?: L1Options | undefined;
  /** Behaviour while too few witnesses confirm the primary (`PrimaryVouch`). @default 'refuse' */
  readonly onSplit?: OnSplit | undefined;
}

/** The options with defaults applied. Frozen. */
export type ResolvedRedisCacheStoreOptions = Readonly<Required<RedisCacheStoreOptions> & { onSplit: OnSplit }>;

const RETENTION_MS = 30 * 24 * 3600 * 1000;

/** Applies the defaults; throws `CACHE_INVALID_OPTION` for a connection with a `keyPrefix`. */
export function resolveRedisCacheStoreOptions(options: RedisCacheStoreOptions): ResolvedRedisCacheStoreOptions {
  if (options.redis.options.keyPrefix) {
    const advice = 'the connection must have no keyPrefix, which scripts do not see: use appName';
    throw invalidOption(advice);
  }
  return Object.freeze({
    redis: options.redis,
    appName: options.appName,
    partitions: options.partitions ?? 1,
    retentionMs: options.retentionMs ?? RETENTION_MS,
    windowMax: options.windowMax ?? 10_000,
    inlineMax: options.inlineMax ?? 1000,
    l1: options.l1,
    onSplit: options.onSplit ?? 'refuse',
  });
}
