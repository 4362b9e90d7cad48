/**
 * The awaited objects of a topic that the integration user cannot read in full. An object that the user can read again
 * stays among them until a gap is handled, because its changes were not sent meanwhile.
 */
export class UnreadableObjects {
  private entities: readonly string[] = [];
  /** The objects that stay unreadable after the gap of the next subscription; undefined if none is readable again. */
  private remaining: readonly string[] | undefined;
  private readableAgain: readonly string[] = [];

  /** All of them, as `health` shows them. */
  get all(): readonly string[] {
    return this.entities;
  }

  /** Those that the user can read again, and whose gap is not handled yet. */
  get returning(): readonly string[] {
    return this.readableAgain;
  }

  /** Replaces them, and forgets which of them were readable again. */
  set(entities: readonly string[]): void {
    this.entities = entities;
    this.remaining = undefined;
    this.readableAgain = [];
  }

  /** Only these are still unreadable: the next subscription of the topic begins with a gap. */
  keepOnly(entities: readonly string[]): void {
    this.remaining = entities;
    this.readableAgain = without(this.entities, entities);
  }

  /**
   * A subscription has begun. Returns the objects that its gap makes readable: a list of those that stay could be out
   * of date when the gap is handled. Undefined if no object is readable again, so that none needs a gap.
   */
  subscribed(): readonly string[] | undefined {
    const { remaining } = this;
    this.remaining = undefined;
    return remaining && without(this.entities, remaining);
  }

  /** The gap of these objects is handled. */
  readable(entities: readonly string[]): void {
    this.entities = without(this.entities, entities);
    this.readableAgain = without(this.readableAgain, entities);
  }
}

function without(entities: readonly string[], others: readonly string[]): readonly string[] {
  return entities.filter((entity) => !others.includes(entity));
}
