/**
 * Gives up what is not settled in time, each after the same time, with one timer for all: a timer of its own costs a command
 * more than what is done with its reply.
 */
export class Deadlines<T> {
  /** When each is given up, by `performance.now()`; in that order, because all have the same time. */
  private readonly pending = new Map<T, number>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    readonly ms: number,
    private readonly giveUp: (item: T) => void,
  ) {}

  add(item: T): void {
    this.pending.set(item, performance.now() + this.ms);
    this.timer ??= this.lookIn(this.ms);
  }

  /** Whether it is settled in time. */
  settle(item: T): boolean {
    return this.pending.delete(item);
  }

  /** Removes and returns all: nothing is given up any more. */
  takeAll(): T[] {
    const all = [...this.pending.keys()];
    this.pending.clear();
    return all;
  }

  /**
   * Timers run before sockets are read: after a stall of this process replies may lie there unread, so they are read first.
   */
  private lookIn(ms: number): NodeJS.Timeout {
    return setTimeout(() => setImmediate(() => this.look()), ms).unref();
  }

  private look(): void {
    const now = performance.now();
    for (const [item, giveUpAt] of this.pending) {
      if (giveUpAt > now) break;
      this.pending.delete(item);
      this.giveUp(item);
    }
    const [next] = this.pending.values();
    this.timer = next === undefined ? undefined : this.lookIn(next - now);
  }
}
