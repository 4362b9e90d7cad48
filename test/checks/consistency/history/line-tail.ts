import { closeSync, openSync, readSync } from 'node:fs';

const CHUNK_BYTES = 256 * 1024;

/**
 * The lines of a file that another process still appends to, each once, in bounded memory. A last line without its
 * newline is withheld: its writer has not finished it, or was killed while it wrote.
 */
export class LineTail {
  private readonly file: number;
  private offset = 0;
  private lines: string[] = [];
  private next = 0;
  private rest = '';
  private readonly chunk = Buffer.allocUnsafe(CHUNK_BYTES);

  constructor(path: string) {
    this.file = openSync(path, 'a+');
  }

  /** The next line, without consuming it; undefined if there is none yet. */
  peek(): string | undefined {
    while (this.next >= this.lines.length) if (!this.fill()) return undefined;
    return this.lines[this.next];
  }

  take(): void {
    this.next++;
  }

  close(): void {
    closeSync(this.file);
  }

  private fill(): boolean {
    const count = readSync(this.file, this.chunk, 0, CHUNK_BYTES, this.offset);
    if (count === 0) return false;
    this.offset += count;
    const parts = (this.rest + this.chunk.toString('latin1', 0, count)).split('\n');
    this.rest = parts.pop() ?? '';
    this.lines = parts;
    this.next = 0;
    return true;
  }
}
