/** Something that is given up at its time, unless it is settled before. */
export class Deadline<T> {
  next: Deadline<T> | undefined;

  constructor(
    /** Emptied when it is over, so that nothing which refers to this keeps a reply alive. */
    public item: T | undefined,
    /** By `performance.now()`. */
    readonly giveUpAt: number,
  ) {}
}

/**
 * Gives up what is not settled in time, each after the same time. One timer serves all, and a list, because they come in the
 * order of their deadlines: a timer of its own costs a command more than what is done with its reply, and a map half of that.
 */
export class Deadlines<T> {
  private oldest: Deadline<T> | undefined;
  private newest: Deadline<T> | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    readonly ms: number,
    private readonly giveUp: (item: T) => void,
  ) {}

  /** Gives the item up unless what this returns is settled in time. */
  add(item: T): Deadline<T> {
    const deadline = new Deadline(item, performance.now() + this.ms);
    if (this.newest) this.newest.next = deadline;
    else this.oldest = deadline;
    this.newest = deadline;
    this.timer ??= this.lookIn(this.ms);
    return deadline;
  }

  /** Whether it is settled in time. */
  settle(deadline: Deadline<T>): boolean {
    if (deadline.item === undefined) return false;
    deadline.item = undefined;
    this.prune();
    return true;
  }

  /** Removes and returns all: nothing is given up any more. */
  takeAll(): T[] {
    const all: T[] = [];
    for (let deadline = this.oldest; deadline; deadline = deadline.next) {
      if (deadline.item !== undefined) all.push(deadline.item);
      deadline.item = undefined;
    }
    this.prune();
    return all;
  }

  /** What is over leaves the list as soon as everything before it is over too: replies come in the order of the commands. */
  private prune(): void {
    let { oldest } = this;
    while (oldest && oldest.item === undefined) {
      const { next } = oldest;
      oldest.next = undefined; // or one that has grown old would keep those behind it from being collected
      oldest = next;
    }
    this.oldest = oldest;
    if (!oldest) this.newest = undefined;
  }

  /**
   * Timers run before sockets are read: after a stall of this process replies may lie there unread, so they are read first.
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
