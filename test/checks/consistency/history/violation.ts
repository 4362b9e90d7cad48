import type { Origin, SeenValue } from './history-lines.js';
import type { Promised } from './promises.js';

/**
 * Which check failed (docs/testing/consistency.md):
 * - `G1` a read that began after an acknowledgement returned an older version of what was invalidated, or a value whose
 *   fetch began before that invalidation;
 * - `G2` a value whose commit was refused, or that was never offered to the store, reached a read that began after its
 *   fetch had begun;
 * - `G3` in bounded mode: a read broke `G1` more than an L1's lease after the acknowledgement, or at any time after its
 *   own process had received it;
 * - `G4` a superseded builder overwrote its successor;
 * - `G6` a read that began after a build under `maxAgeSeconds` was answered returned a value of an older fetch, or a
 *   read under `maxAgeSeconds` returned a value that is older than it allows;
 * - `ttl` a value was kept beyond its end; `key` a read returned the value of another key; `answer` a read failed with
 *   an error that neither the cache nor the source should cause.
 */
export type Check = 'G1' | 'G2' | 'G3' | 'G4' | 'G6' | 'ttl' | 'key' | 'answer';
export const checks: readonly Check[] = ['G1', 'G2', 'G3', 'G4', 'G6', 'ttl', 'key', 'answer'];

/** A read as the verifier judges it. */
export interface JudgedRead {
  readonly by: number;
  readonly key: number;
  readonly beganAt: number;
  readonly endedAt: number;
  readonly origin: Origin;
  readonly value: SeenValue | undefined;
  /** The age that the read allowed when it began; -1: any. */
  readonly maxAgeUs: number;
}

export interface Violation {
  readonly check: Check;
  readonly text: string;
  readonly key: number;
  /** The instants between which the violation came about, for the timeline. */
  readonly from: number;
  readonly to: number;
  readonly fact?: number;
  readonly promised?: Promised;
  readonly read?: JudgedRead;
}
