import { ProcessReports, type CountedReports, type ProcessReport } from '../process-reports.js';

export interface MemoryProcessReportsOptions {
  /** @default the pid */
  readonly processId?: string;
  /** @default Date.now */
  readonly clock?: () => number;
}

/** The board of a single process: it reads its own reports, taken at the instant of the read. */
export class MemoryProcessReports extends ProcessReports {
  private readonly contents = new Map<string, () => unknown>();
  private readonly processId: string;
  private readonly clock: () => number;

  constructor(options: MemoryProcessReportsOptions = {}) {
    super();
    this.processId = options.processId ?? String(process.pid);
    this.clock = options.clock ?? Date.now;
  }

  publish(topic: string, content: () => unknown): void {
    this.contents.set(topic, content);
  }

  publishCounters(topic: string, content: () => object): void {
    this.publish(topic, content);
  }

  async readCounters(topic: string): Promise<CountedReports> {
    return { live: await this.read(topic), ended: [] };
  }

  async read(topic: string): Promise<ProcessReport[]> {
    const content = this.contents.get(topic);
    return content ? [{ processId: this.processId, at: this.clock(), content: content() }] : [];
  }

  async close(): Promise<void> {
    this.contents.clear();
  }
}
