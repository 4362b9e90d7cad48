import type { CounterReports } from '../cache.types.js';

/** The counters of this process alone, for a cache that was given no `reports` of a fleet. */
export class OwnCounters implements CounterReports {
  private readonly contents = new Map<string, () => unknown>();

  publish(topic: string, content: () => unknown): void {
    this.contents.set(topic, content);
  }

  async read(topic: string): Promise<{ content: unknown }[]> {
    const content = this.contents.get(topic);
    return content ? [{ content: content() }] : [];
  }
}
