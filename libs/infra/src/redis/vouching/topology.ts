import type { Redis } from 'ioredis';
import type { HostAndPort } from '../../config/value-kinds.js';

/** What one witness says of the primary of one place. A place is what has one primary: all data, or the slot of a partition. */
export interface Word {
  /** A name of the primary that is the same for all witnesses. */
  readonly primary: string;
  /** Counts the changes that were agreed upon: of two words, the one with the higher epoch is newer. */
  readonly epoch: number;
  /** Whether the witness sees it and would not let it be replaced now. */
  readonly isFine: boolean;
  /** The witness is about to replace it. */
  readonly isReplacing: boolean;
}

/** One answer of one witness. */
export interface Testimony {
  /** The witness, the same under whichever address it was asked. */
  readonly witness: string;
  /** Whether it has a say when a primary is replaced. */
  readonly isVoter: boolean;
  /** With so many voters who find the primary fine, too few are left to replace it. */
  readonly needed: number;
  /** By place; undefined where the witness knows no primary. */
  readonly words: readonly (Word | undefined)[];
}

/** To whom the client sends what belongs to a place. */
export interface Receiver {
  /** As the words name primaries. */
  readonly primary: string;
  /** As `serverOf` names it. */
  readonly server: unknown;
}

/** Who decides about primaries, and how they are asked. */
export abstract class Topology {
  abstract readonly witnessName: string;
  /** One, or one for each key. */
  abstract readonly places: number;

  /** Whom to ask, as far as is known. */
  abstract witnesses(): readonly HostAndPort[];

  abstract connect(witness: HostAndPort): Redis;

  abstract ask(redis: Redis, witness: HostAndPort): Promise<Testimony>;

  /** Undefined while there is no connection, or while it is not known who is at its end. */
  abstract receiver(place: number): Receiver | undefined;

  /**
   * Tells to whom the client sends what belongs to a place: the same only if it is the same server. It may be another one with
   * every command, and every read asks, so it must cost nothing.
   */
  abstract serverOf(place: number): () => unknown;

  /** The client is to look anew for its primary. */
  abstract leave(): void;

  /** Calls `lost` when a connection for data was lost, and `made` when there is one; returns how to end that. */
  abstract watch(lost: () => void, made: () => void): () => void;
}
