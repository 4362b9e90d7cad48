/** An item that is given up at `giveUpAt`, unless it is settled before. */
export class Deadline<T> {
  next: Deadline<T> | undefined;

  constructor(
    /** Cleared once settled or given up, so that a reference to the deadline keeps no reply alive. */
    public item: T | undefined,
    /** By `performance.now()`. */
    readonly giveUpAt: number,
  ) {}
}

/**
 * Gives up items that are not settled within `ms`. All share one limit, so a list keeps them in deadline order and one
 * timer suffices: a timer per command costs more than handling its reply, and a map costs half of that.
 */
export class Deadlines<T> {
  private oldest: Deadline<T> | undefined;
  private newest: Deadline<T> | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    readonly ms: number,
    private readonly giveUp: (item: T) => void,
  ) {}

  /** Gives the item up unless the returned deadline is settled in time. */
  add(item: T): Deadline<T> {
    const deadline = new Deadline(item, performance.now() + this.ms);
    if (this.newest) this.newest.next = deadline;
    else this.oldest = deadline;
    this.newest = deadline;
    this.timer ??= this.lookIn(this.ms);
    return deadline;
  }

  /** Settles a deadline; returns whether it was in time. */
  settle(deadline: Deadline<T>): boolean {
    if (deadline.item === undefined) return false;
    deadline.item = undefined;
    this.prune();
    return true;
  }

  /** Removes and returns all open items; none of them is given up any more. */
  takeAll(): T[] {
    const all: T[] = [];
    for (let deadline = this.oldest; deadline; deadline = deadline.next) {
      if (deadline.item !== undefined) all.push(deadline.item);
      deadline.item = undefined;
    }
    this.prune();
    return all;
  }

  /** Drops the settled head of the list. Replies mostly come in the order of the commands, so the list stays short. */
  private prune(): void {
    let { oldest } = this;
    while (oldest && oldest.item === undefined) {
      const { next } = oldest;
      oldest.next = undefined; // else a long-lived deadline would keep its successors from being collected
      oldest = next;
    }
    this.oldest = oldest;
    if (!oldest) this.newest = undefined;
  }

  /**
   * Timers run before sockets are read. After a stall of this process, unread replies may wait in a socket;
   * `setImmediate` lets them be read first.
   */
  private lookIn(ms: number): NodeJS.Timeout {
    return setTimeout(() => setImmediate(() => this.look()), ms).unref();
  }

  private look(): void {
    const now = performance.now();
    const overdue: T[] = [];
    while (this.oldest && this.oldest.giveUpAt <= now) {
      if (this.oldest.item !== undefined) overdue.push(this.oldest.item);
      this.oldest.item = undefined;
      this.prune();
    }
    this.timer = this.oldest && this.lookIn(this.oldest.giveUpAt - now);
    overdue.forEach(this.giveUp);
  }
}
