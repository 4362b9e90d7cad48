import type { RedisClient } from './redis-client.js';

/** Hears when a part begins to be refused, is refused for another reason, or is not refused any more (undefined). */
export type RefusalListener = (part: string, reason: string | undefined) => void;

const boards = new WeakMap<RedisClient, Refusals>();

/**
 * What Redis refuses at present to the parts of a process that share a connection, each in words that say what mends it.
 * Health shows it, and the log tells it once. It is not for an outage, which the connection itself knows.
 */
export class Refusals {
  private readonly reasonOf = new Map<string, string>();
  private readonly listeners = new Set<RefusalListener>();

  /** The one of this connection. */
  static of(client: RedisClient): Refusals {
    let board = boards.get(client);
    if (!board) boards.set(client, (board = new Refusals()));
    return board;
  }

  /** From now on this part is refused for this reason; undefined: it is not refused. Listeners hear of changes only. */
  tell(part: string, reason: string | undefined): void {
    if (this.reasonOf.get(part) === reason) return;
    if (reason === undefined) this.reasonOf.delete(part);
    else this.reasonOf.set(part, reason);
    for (const listener of this.listeners) listener(part, reason);
  }

  /** Every reason once, as `part: reason`. */
  get reasons(): readonly string[] {
    return [...this.reasonOf].map(([part, reason]) => `${part}: ${reason}`);
  }

  /** Also told of what is refused already. */
  listen(listener: RefusalListener): () => void {
    this.listeners.add(listener);
    for (const [part, reason] of this.reasonOf) listener(part, reason);
    return () => this.listeners.delete(listener);
  }
}
