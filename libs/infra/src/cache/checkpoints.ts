/** Durable positions of change-event consumers, kept in the same store as the entries that those events invalidate. */
export abstract class Checkpoints {
  /** The position saved last under this name; undefined if there is none. Opaque: never compared or computed with. */
  abstract load(name: string): Promise<string | undefined>;
  /** Resolves when saved. Save only after every invalidation up to the position was acknowledged. */
  abstract save(name: string, position: string): Promise<void>;
  abstract remove(name: string): Promise<void>;
}
