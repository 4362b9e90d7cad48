/** The work of one holder under one key. */
export interface IdempotencyClaim {
  /** A pseudonym: it becomes part of a key's name. */
  readonly key: string;
  /** Identifies what is asked for, without telling it. */
  readonly fingerprint: string;
  /** Another one for each attempt. */
  readonly holder: string;
}

/** What is known of a key when somebody wants to work under it. */
export type Beginning =
  /** The work is the caller's. `mayBeDone`: an earlier holder may have done it, as its last word was (`Hold`). */
  | { readonly kind: 'begun'; readonly mayBeDone: boolean }
  /** Another holder works; without a sign of life its claim ends in `leftMs`. */
  | { readonly kind: 'running'; readonly leftMs: number }
  /** A holder is gone after it had said that its work cannot be repeated. */
  | { readonly kind: 'abandoned' }
  | { readonly kind: 'answered'; readonly answer: string }
  /** The key was used for something else. */
  | { readonly kind: 'mismatch' };

/** What becomes of a claim that is still held. */
export interface Hold {
  /** From now on; 0 gives the claim up without an answer. */
  readonly leaseMs: number;
  /** From now on, if the work cannot be repeated; undefined: as it was before. */
  readonly unrepeatableMs?: number;
  /** From now on, if the work may be done from now on, and can be repeated; undefined: as it was before. */
  readonly mayBeDoneMs?: number;
}

/**
 * Work that is done once for each key, remembered for all processes of an application. Every method rejects with
 * `IdempotencyUnavailableError` if the store does not answer or refuses; what was asked may then have happened all the
 * same.
 */
export abstract class IdempotencyRecords {
  /**
   * Gives the work under a key to at most one holder, until its lease ends, or it is given up or answered. A holder may
   * repeat the call.
   */
  abstract begin(claim: IdempotencyClaim, leaseMs: number): Promise<Beginning>;
  /**
   * Prolongs the claim; returns whether it is still held. With `unrepeatableMs`, nobody else gets the work when the
   * lease ends: for this time the key is `abandoned`, unless an answer is given. With `mayBeDoneMs`, `begin` says
   * for this time that the work may be done.
   */
  abstract hold(claim: IdempotencyClaim, hold: Hold): Promise<boolean>;
  /**
   * Stores the answer for this time. Returns false, and stores nothing, if there is an answer already, or another
   * holder has taken the work over.
   */
  abstract answer(claim: IdempotencyClaim, answer: string, lifeMs: number): Promise<boolean>;
  /** Ends the claim, if it is still held, as if this holder had never begun: what earlier ones may have done remains. */
  abstract release(claim: IdempotencyClaim): Promise<void>;
}
