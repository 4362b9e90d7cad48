import type { RedisConnectionOptions } from '@bff/infra/redis/redis-client';
import type { Recovery } from './recovery.js';
import type { Mechanism } from './without.js';

export type CheckedMode = 'strict' | 'bounded' | 'off';

/** What a process of the checker is started with, as JSON in its first argument. */
export interface ProcessConfig {
  /** Its number in the history; never used twice in a run. */
  readonly by: number;
  /** Its place, which its successor takes over together with what it has left undone. */
  readonly slot: number;
  readonly role: 'reader' | 'worker';
  readonly seed: number;
  /** `process.hrtime.bigint()` of the run's beginning. */
  readonly origin: string;
  readonly redis: RedisConnectionOptions;
  readonly sourceUrl: string;
  readonly appName: string;
  readonly mode: CheckedMode;
  readonly partitions: number;
  /** The mechanism that is switched off, to see that its absence is found. */
  readonly without?: Mechanism | undefined;
  readonly historyFolder: string;
}

/** What the run tells a process to do. */
export type Order =
  /** The next fetch takes this long, says so when it has read the source, and its lease is not renewed. */
  | { readonly kind: 'linger'; readonly ms: number }
  /** For this time every fetch outlasts its lease. */
  | { readonly kind: 'slow'; readonly ms: number }
  /** For this time no acknowledgement of it arrives anywhere: they are lost on the way. */
  | { readonly kind: 'mute'; readonly ms: number }
  /** For this time it hears only some of what is said on the bus. */
  | { readonly kind: 'lossy'; readonly ms: number }
  /** For this time it hears nothing on the bus; then the connection breaks, and what was said meanwhile is lost. */
  | { readonly kind: 'deaf'; readonly ms: number }
  /** Finish what was begun, and begin nothing more. Answered by `rested`. */
  | { readonly kind: 'rest' }
  /** Invalidate until that is acknowledged, and read until the store answers. Answered by `recovered`. */
  | { readonly kind: 'recover' }
  /** Read every key, in both ways. Answered by `values`. */
  | { readonly kind: 'readAll' }
  /** Close the cache and end. */
  | { readonly kind: 'close' };

/** What a process says. */
export type Report =
  | { readonly kind: 'ready' }
  | { readonly kind: 'fetching' }
  | { readonly kind: 'rested' }
  /** After so many milliseconds the store served it, if nothing hinders it; and so long its fastest invalidation took then. */
  | ({ readonly kind: 'recovered' } & Recovery)
  /** For each key what a read returned; '' for a read that failed or returned nothing. */
  | { readonly kind: 'values'; readonly values: readonly string[] };
