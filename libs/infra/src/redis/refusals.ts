import type { RedisClient } from './redis-client.js';

/** Called when a part begins to be refused, is refused for another reason, or is no longer refused (undefined). */
export type RefusalListener = (part: string, reason: string | undefined) => void;

const boards = new WeakMap<RedisClient, Refusals>();

/**
 * The current refusals of Redis for the parts of a process that share a connection, each with a reason, which says how
 * to mend it if that is known. Health shows them, and the log reports them. Outages are not reported here; the
 * connection knows them.
 */
export class Refusals {
  private readonly reasonOf = new Map<string, string>();
  private readonly listeners = new Set<RefusalListener>();

  /** The board of this connection. */
  static of(client: RedisClient): Refusals {
    let board = boards.get(client);
    if (!board) boards.set(client, (board = new Refusals()));
    return board;
  }

  /** Sets the reason why this part is refused; undefined: it is not refused. Listeners receive changes only. */
  tell(part: string, reason: string | undefined): void {
    if (this.reasonOf.get(part) === reason) return;
    if (reason === undefined) this.reasonOf.delete(part);
    else this.reasonOf.set(part, reason);
    for (const listener of this.listeners) listener(part, reason);
  }

  /** Every current refusal, as `part: reason`. */
  get reasons(): readonly string[] {
    return [...this.reasonOf].map(([part, reason]) => `${part}: ${reason}`);
  }

  /** Also calls the listener for parts that are already refused. Returns how to stop listening. */
  listen(listener: RefusalListener): () => void {
    this.listeners.add(listener);
    for (const [part, reason] of this.reasonOf) listener(part, reason);
    return () => this.listeners.delete(listener);
  }
}
