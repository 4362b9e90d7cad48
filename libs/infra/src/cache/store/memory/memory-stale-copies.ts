import { LRUCache } from 'lru-cache';
import type { StaleValue, StoredValue } from '../../protocol/cache-store.js';

interface Copy {
  readonly value: StoredValue;
  readonly staleMs: number;
  /** When the entry ended or will end; undefined: it has no TTL and was not invalidated. */
  readonly endedAt: number | undefined;
}

const COPY_BYTES = 300;

/** Copies of values that may be served as stale for a while after their entries have ended. Bounded in bytes. */
export class MemoryStaleCopies {
  private readonly copies: LRUCache<string, Copy>;

  constructor(
    maxBytes: number,
    private readonly clock: () => number,
  ) {
    this.copies = new LRUCache<string, Copy>({
      maxSize: maxBytes,
      sizeCalculation: ({ value }, key) => COPY_BYTES + Buffer.byteLength(key) + value.bytes.length,
    });
  }

  /**
   * Keeps a copy of a value that was just built, whose entry ends or has ended at `expiresAt`; with `staleMs` 0 it
   * removes any copy.
   */
  put(key: string, value: StoredValue, staleMs: number, expiresAt: number | undefined): void {
    if (staleMs > 0) this.copies.set(key, { value, staleMs, endedAt: expiresAt });
    else this.copies.delete(key);
  }

  /** Records that the entry has been invalidated now, unless it had ended before. */
  end(key: string): void {
    const copy = this.copies.peek(key);
    const now = this.clock();
    if (copy && (copy.endedAt === undefined || copy.endedAt > now)) this.copies.set(key, { ...copy, endedAt: now });
  }

  /** Records that the entry will end later than was known. */
  extend(key: string, expiresAt: number): void {
    const copy = this.copies.peek(key);
    if (copy) this.copies.set(key, { ...copy, endedAt: expiresAt });
  }

  /** The copy of an entry that ended no longer than `staleMs` ago. */
  read(key: string): StaleValue | undefined {
    const copy = this.copies.get(key);
    if (copy?.endedAt === undefined) return undefined;
    const staleForMs = this.clock() - copy.endedAt;
    if (staleForMs > copy.staleMs) this.copies.delete(key);
    return staleForMs < 0 || staleForMs > copy.staleMs ? undefined : { value: copy.value, staleForMs };
  }

  delete(key: string): void {
    this.copies.delete(key);
  }

  clear(): void {
    this.copies.clear();
  }
}
