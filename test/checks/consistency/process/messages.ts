import type { RedisConnectionOptions } from '@bff/infra/redis/redis-client';
import type { Recovery } from './recovery.js';
import type { Mechanism } from './without.js';

export type CheckedMode = 'strict' | 'bounded' | 'off';

/** The configuration of a checker process, as JSON in its first argument. */
export interface ProcessConfig {
  /** Its number in the history; never used twice in a run. */
  readonly by: number;
  /** Its place in the pool. Its successor takes over the place together with the unacknowledged changes. */
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
  /** The mechanism that is switched off, to prove that the checker notices its absence. */
  readonly without?: Mechanism | undefined;
  readonly historyFolder: string;
}

/** An order of the run to a process. */
export type Order =
  /** The next fetch reports when it has read the source, and then takes this much longer. */
  | { readonly kind: 'linger'; readonly ms: number }
  /**
   * For this time the source takes 100 to 300 ms for each read, so that every fetch outlasts a short lease of its
   * build.
   */
  | { readonly kind: 'slow'; readonly ms: number }
  /** For this time no acknowledgement of this process arrives anywhere: see `LossyNetwork.mute`. */
  | { readonly kind: 'mute'; readonly ms: number }
  /** For this time it receives only some of the messages on the bus. */
  | { readonly kind: 'lossy'; readonly ms: number }
  /**
   * For this time it receives nothing on the bus; then the connection breaks, and the messages sent meanwhile are lost.
   */
  | { readonly kind: 'deaf'; readonly ms: number }
  /** Finish pending work and begin nothing more. Answered by `rested`. */
  | { readonly kind: 'rest' }
  /** Invalidate until it is acknowledged, and read until the store answers. Answered by `recovered`. */
  | { readonly kind: 'recover' }
  /** Read every key, twice with `getOrSet` and then with `get`. Answered by `values`. */
  | { readonly kind: 'readAll' }
  /** Close the cache and end. */
  | { readonly kind: 'close' };

/** A report of a process to the run. */
export type Report =
  | { readonly kind: 'ready' }
  | { readonly kind: 'fetching' }
  | { readonly kind: 'rested' }
  /**
   * How long the process took to be served by the store, or what hinders it, and its fastest invalidation afterwards.
   */
  | ({ readonly kind: 'recovered' } & Recovery)
  /** The results of all reads: every key, three times; '' for a read that failed or returned nothing. */
  | { readonly kind: 'values'; readonly values: readonly string[] };
