import { join } from 'node:path';
import { LineTail } from './line-tail.js';
import { parseChange, parseRead, VALUES_MAX, type SeenValue } from './history-lines.js';
import type { Verifier } from './verifier.js';

/** The two files of a process. */
export function historyFiles(folder: string, by: number): { readonly changes: string; readonly reads: string } {
  return { changes: join(folder, `${by}.changes`), reads: join(folder, `${by}.reads`) };
}

/** The part of one process' history that has been read. */
class ProcessHistory {
  /** Every line from before this instant is in the files. */
  writtenUntil = -1;
  private readonly changes: LineTail;
  private readonly reads: LineTail;
  private readonly values: SeenValue[] = [];

  constructor(
    private readonly by: number,
    folder: string,
    private readonly verifier: Verifier,
  ) {
    const files = historyFiles(folder, by);
    this.changes = new LineTail(files.changes);
    this.reads = new LineTail(files.reads);
  }

  readChanges(): void {
    for (let text = this.changes.peek(); text !== undefined; text = this.changes.peek()) {
      const line = parseChange(text);
      if (line.kind === 'written') this.writtenUntil = line.at;
      else this.verifier.change(this.by, line);
      this.changes.take();
    }
  }

  /**
   * Passes on the reads that ended before this instant; reads are in the order of their ends. Returns whether none is
   * left.
   */
  readReads(until: number): boolean {
    for (let text = this.reads.peek(); text !== undefined; text = this.reads.peek()) {
      const line = parseRead(text);
      if (line.kind === 'value') this.values[line.index % VALUES_MAX] = line.value;
      else if (line.endedAt >= until) return false;
      else if (line.kind === 'failed') this.verifier.failed({ by: this.by, ...line }, line.code);
      else {
        const { key, beganAt, endedAt, origin, maxAgeUs } = line;
        const value = line.value < 0 ? undefined : this.values[line.value % VALUES_MAX];
        this.verifier.read({ by: this.by, key, beganAt, endedAt, origin, value, maxAgeUs });
      }
      this.reads.take();
    }
    return true;
  }

  close(): void {
    this.changes.close();
    this.reads.close();
  }
}

/**
 * Feeds a verifier from the files of all processes while they are being written, in bounded memory. Changes are passed
 * on at once; a read is passed on when every process that may still acknowledge something has written its history up to
 * the read's end. A stopped process delays the judgement; no read is judged without it.
 */
export class History {
  private readonly processes = new Map<number, ProcessHistory>();
  private readonly running = new Set<number>();

  constructor(
    private readonly folder: string,
    private readonly verifier: Verifier,
  ) {}

  joined(by: number): void {
    this.processes.set(by, new ProcessHistory(by, this.folder, this.verifier));
    this.running.add(by);
  }

  /** The process has ended and writes no more. */
  left(by: number): void {
    this.running.delete(by);
  }

  /** Reads the new lines of all files, and passes on what can be judged. */
  advance(): void {
    const isOver = new Set([...this.processes.keys()].filter((by) => !this.running.has(by)));
    for (const process of this.processes.values()) process.readChanges();
    let until = Infinity;
    for (const [by, { writtenUntil }] of this.processes) if (!isOver.has(by)) until = Math.min(until, writtenUntil);
    for (const [by, process] of this.processes) {
      const isAllJudged = process.readReads(until);
      if (!isOver.has(by) || !isAllJudged) continue;
      process.close();
      this.processes.delete(by);
    }
  }
}
