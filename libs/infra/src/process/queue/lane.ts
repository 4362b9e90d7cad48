import { Chain, Link } from './chain.js';

/** Whether a request changes what the source has. Reads that only prepare a write count as writes. */
export type RequestKind = 'read' | 'write';

/** A request that waits for a slot. It ends once: by `start`, or by `refuse`. */
export class Waiter {
  readonly link = new Link<Waiter>(this);
  /** Resolves when the request may be sent; rejects with the reason why it may not. */
  readonly turn: Promise<void>;
  private resolve!: () => void;
  private reject!: (reason: Error) => void;
  private readonly onAbort: () => void;

  constructor(
    readonly lane: Lane,
    readonly kind: RequestKind,
    private readonly signal: AbortSignal | undefined,
    onAbort: (waiter: Waiter) => void,
  ) {
    this.turn = new Promise<void>((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.onAbort = () => onAbort(this);
    signal?.addEventListener('abort', this.onAbort, { once: true });
  }

  get isWaiting(): boolean {
    return this.link.chain !== undefined;
  }

  start(): void {
    this.signal?.removeEventListener('abort', this.onAbort);
    this.resolve();
  }

  refuse(reason: Error): void {
    this.signal?.removeEventListener('abort', this.onAbort);
    this.reject(reason);
  }
}

/** One account's requests: those that wait, writes before reads, and the number of those under way. */
export class Lane {
  readonly reads = new Chain<Waiter>();
  readonly writes = new Chain<Waiter>();
  running = 0;
  /** Its place among the lanes that wait, among those with a waiting write, and among those as long as it is. */
  readonly turn = new Link<Lane>(this);
  readonly writeTurn = new Link<Lane>(this);
  readonly length = new Link<Lane>(this);

  /** Undefined: the work of the process itself. */
  constructor(readonly account: string | undefined) {}

  get waiting(): number {
    return this.reads.size + this.writes.size;
  }

  /** The request that is sent next. */
  get next(): Waiter | undefined {
    return this.writes.first ?? this.reads.first;
  }

  /** The request that gives way when there is no room: the newest read, or the newest write if no read waits. */
  get newest(): Waiter | undefined {
    return this.reads.last ?? this.writes.last;
  }
}
