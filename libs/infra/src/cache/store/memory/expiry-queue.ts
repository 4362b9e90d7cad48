interface Item {
  readonly key: string;
  readonly at: number;
}

/**
 * Keys by the instant at which they expire. A binary heap that knows the place of each key, so that a key leaves in
 * O(log n) when its entry or lease does, and nothing of it remains: no lazy deletions pile up.
 */
export class ExpiryQueue {
  private readonly heap: Item[] = [];
  private readonly places = new Map<string, number>();

  get size(): number {
    return this.heap.length;
  }

  /** Sets when the key expires, replacing an earlier setting. */
  set(key: string, at: number): void {
    this.delete(key);
    this.place({ key, at }, this.heap.length);
    this.rise(this.heap.length - 1);
  }

  delete(key: string): void {
    const index = this.places.get(key);
    if (index === undefined) return;
    this.places.delete(key);
    const last = this.heap.pop() as Item; // the heap holds at least the item found above
    if (last.key === key) return;
    this.place(last, index);
    this.rise(index);
    this.sink(index);
  }

  /** The key that expires first, if it has expired at `now`. It stays in the queue. */
  expired(now: number): string | undefined {
    const first = this.heap[0];
    return first && first.at <= now ? first.key : undefined;
  }

  clear(): void {
    this.heap.length = 0;
    this.places.clear();
  }

  private place(item: Item, index: number): void {
    this.heap[index] = item;
    this.places.set(item.key, index);
  }

  private at(index: number): number {
    return this.heap[index]?.at ?? Infinity;
  }

  private swap(a: number, b: number): void {
    const [first, second] = [this.heap[a] as Item, this.heap[b] as Item];
    this.place(first, b);
    this.place(second, a);
  }

  private rise(index: number): void {
    for (let child = index; child > 0;) {
      const parent = (child - 1) >> 1;
      if (this.at(parent) <= this.at(child)) return;
      this.swap(parent, child);
      child = parent;
    }
  }

  private sink(index: number): void {
    for (let parent = index; ;) {
      const left = 2 * parent + 1;
      const child = this.at(left + 1) < this.at(left) ? left + 1 : left;
      if (this.at(parent) <= this.at(child)) return;
      this.swap(parent, child);
      parent = child;
    }
  }
}
