/** Keys of a bucket that are remembered. Beyond it those read longest ago are forgotten. */
const KEYS_MAX = 1000;
/** A key that is read again and again is moved to the front no more often than this. */
const TOUCH_MS = 1000;

/** Which entries of a bucket this process was asked for lately, and by which parts of their keys. Bounded. */
export class RecentReads {
  private readonly reads = new Map<string, { readonly parts: readonly string[]; at: number }>();

  constructor(private readonly recentMs: number) {}

  note(key: string, parts: readonly string[]): void {
    const now = performance.now();
    const known = this.reads.get(key);
    if (known && now - known.at < TOUCH_MS) return;
    this.reads.delete(key);
    this.reads.set(key, { parts: known?.parts ?? [...parts], at: now });
    const [oldest] = this.reads.keys();
    if (this.reads.size > KEYS_MAX && oldest !== undefined) this.reads.delete(oldest);
  }

  /** The parts of a key that was read lately; undefined if it was not. */
  partsOf(key: string): readonly string[] | undefined {
    const read = this.reads.get(key);
    if (!read || performance.now() - read.at > this.recentMs + TOUCH_MS) return undefined;
    return read.parts;
  }
}
