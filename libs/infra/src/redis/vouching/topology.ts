import type { Redis } from 'ioredis';
import type { HostAndPort } from '../connecting/redis-address.js';

/**
 * One witness's statement about the primary of one place. A place is all data, or the slot of a partition; it has one
 * primary.
 */
export interface Word {
  /** A name of the primary that is the same for all witnesses. */
  readonly primary: string;
  /** Counts agreed changes: the word with the higher epoch is newer. */
  readonly epoch: number;
  /** Whether the witness sees the primary and would not let it be replaced now. */
  readonly isFine: boolean;
  /** Whether the witness is about to replace the primary. */
  readonly isReplacing: boolean;
}

/** One answer of one witness. */
export interface Testimony {
  /** The witness's id, the same under every address it is asked at. */
  readonly witness: string;
  /** Whether it has a vote when a primary is replaced. */
  readonly isVoter: boolean;
  /** With this many voters that find the primary fine, too few are left to replace it. */
  readonly needed: number;
  /** By place; undefined where the witness knows no primary. */
  readonly words: readonly (Word | undefined)[];
}

/** The server to which the client sends a place's commands. */
export interface Receiver {
  /** In the form in which words name primaries. */
  readonly primary: string;
  /** In the form in which `serverOf` names it. */
  readonly server: unknown;
}

/** The witnesses that decide about primaries, and how to ask them. */
export abstract class Topology {
  abstract readonly witnessName: string;
  /** The number of places: one, or one for each key. */
  abstract readonly places: number;

  /** The witnesses known now. */
  abstract witnesses(): readonly HostAndPort[];

  abstract connect(witness: HostAndPort): Redis;

  abstract ask(redis: Redis, witness: HostAndPort): Promise<Testimony>;

  /** Undefined while there is no connection, or while the server at its end is unknown. */
  abstract receiver(place: number): Receiver | undefined;

  /**
   * Returns a function that names the server to which the client now sends a place's commands: equal names mean the
   * same server. The server may differ with every command and every read calls it, so it must cost nothing.
   */
  abstract serverOf(place: number): () => unknown;

  /** Makes the client look for its primary again; returns false if it is not connected: then it looks anyway. */
  abstract leave(): boolean;

  /** Calls `lost` when a data connection is lost, and `made` when one is made; returns how to stop. */
  abstract watch(lost: () => void, made: () => void): () => void;
}
