/** Maximum remembered keys of a bucket. Beyond it the keys read longest ago are forgotten. */
const KEYS_MAX = 1000;
/**
 * For this many milliseconds after a read of a key was noted, further ones are not, so that most reads cost no more
 * than this check.
 */
const TOUCH_MS = 1000;

/** The keys of a bucket that were read in this process lately, with their parts. Bounded. */
export class RecentReads {
  private readonly reads = new Map<string, { readonly parts: readonly string[]; at: number }>();

  constructor(private readonly recentMs: number) {}

  /** Notes a read, at this instant by `performance.now()`. */
  note(key: string, parts: readonly string[], now = performance.now()): void {
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
