import { closeSync, openSync, writeSync } from 'node:fs';
import type { RunClock } from '../history/clock.js';
import { historyFiles } from '../history/history.js';
import {
  formatChange,
  formatRead,
  parseVersions,
  VALUES_MAX,
  type ChangeLine,
  type Origin,
} from '../history/history-lines.js';
import type { CachedValue } from './cached-value.js';

const FLUSH_MS = 20;

/**
 * Writes the history of this process. It buffers lines for some milliseconds, except lines that must survive a kill of
 * the process; it writes these at once.
 */
export class HistoryWriter {
  private readonly changesFile: number;
  private readonly readsFile: number;
  private readonly timer: NodeJS.Timeout;
  private changes: string[] = [];
  private reads: string[] = [];
  /**
   * The last description of each build, oldest first; only builds among the last `VALUES_MAX` descriptions are kept.
   */
  private readonly described = new Map<string, { readonly index: number; readonly text: string }>();
  private nextIndex = 0;

  constructor(
    folder: string,
    by: number,
    private readonly clock: RunClock,
  ) {
    const files = historyFiles(folder, by);
    this.changesFile = openSync(files.changes, 'a');
    this.readsFile = openSync(files.reads, 'a');
    this.timer = setInterval(() => this.flush(), FLUSH_MS);
  }

  change(line: ChangeLine): void {
    this.changes.push(formatChange(line));
  }

  /** Writes the line at once, so that it survives if the process is killed right afterwards. */
  changeNow(line: ChangeLine): void {
    this.change(line);
    this.flush();
  }

  /**
   * Notes a read. Its value is compared with the last description each time, so a value that changes while readers hold
   * it is noticed.
   */
  read(key: number, beganAt: number, origin: Origin, value: CachedValue | undefined, maxAgeUs: number): void {
    const endedAt = this.clock.now();
    const index = value ? this.indexOf(value) : -1;
    this.reads.push(formatRead({ kind: 'read', key, beganAt, endedAt, origin, value: index, maxAgeUs }));
  }

  failed(key: number, beganAt: number, code: string): void {
    this.reads.push(formatRead({ kind: 'failed', key, beganAt, endedAt: this.clock.now(), code }));
  }

  /** When it returns, every line from before now is in the files. */
  flush(): void {
    const at = this.clock.now();
    this.write(this.readsFile, this.reads.splice(0).join(''));
    this.changes.push(formatChange({ kind: 'written', at }));
    this.write(this.changesFile, this.changes.splice(0).join(''));
  }

  close(): void {
    clearInterval(this.timer);
    this.flush();
    closeSync(this.changesFile);
    closeSync(this.readsFile);
  }

  private indexOf({ key, build, at, ttlMs, facts }: CachedValue): number {
    const text = `${key} ${at} ${facts}`;
    const known = this.described.get(build);
    if (known?.text === text) return known.index;
    const index = this.nextIndex++;
    this.described.delete(build);
    this.described.set(build, { index, text });
    for (const [oldest, { index: i }] of this.described) {
      if (i > index - VALUES_MAX) break;
      this.described.delete(oldest);
    }
    const value = { key, build, fetchedAt: at, ttlMs, ...parseVersions(facts) };
    this.reads.push(formatRead({ kind: 'value', index, value }));
    return index;
  }

  private write(file: number, text: string): void {
    const bytes = Buffer.from(text, 'latin1');
    for (let offset = 0; offset < bytes.length;) offset += writeSync(file, bytes, offset);
  }
}
