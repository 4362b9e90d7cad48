/**
 * The place of an item in a `Chain`; while it is in none, `chain` is undefined. An item has one for each chain kind.
 */
export class Link<T> {
  chain: Chain<T> | undefined;
  previous: Link<T> | undefined;
  next: Link<T> | undefined;

  constructor(readonly item: T) {}
}

/**
 * A queue whose every operation takes constant time, the removal from its middle included. A `Set` does not: after many
 * removals at its front, V8 steps over the holes they leave each time it looks for the first element.
 */
export class Chain<T> {
  private head: Link<T> | undefined;
  private tail: Link<T> | undefined;
  private count = 0;

  get size(): number {
    return this.count;
  }

  get first(): T | undefined {
    return this.head?.item;
  }

  get last(): T | undefined {
    return this.tail?.item;
  }

  /** Appends the link, which leaves the chain that it is in, this one or another. */
  append(link: Link<T>): void {
    link.chain?.remove(link);
    link.chain = this;
    link.previous = this.tail;
    if (this.tail) this.tail.next = link;
    else this.head = link;
    this.tail = link;
    this.count += 1;
  }

  /** Takes the link out; it must be in this chain. */
  remove(link: Link<T>): void {
    if (link.chain !== this) throw new Error('the link is not in this chain');
    if (link.previous) link.previous.next = link.next;
    else this.head = link.next;
    if (link.next) link.next.previous = link.previous;
    else this.tail = link.previous;
    link.chain = link.previous = link.next = undefined;
    this.count -= 1;
  }
}
