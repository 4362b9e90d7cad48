import { setTimeout as delay } from 'node:timers/promises';

/** How long every query, record call and billing call takes, so that a cache hit and a miss can be told apart by eye. */
export class Latency {
  constructor(public ms: number) {}

  /** Half of it: waited once before the work and once after, so that an answer can be older than its arrival. */
  async half(): Promise<void> {
    if (this.ms > 0) await delay(this.ms / 2, undefined, { ref: false });
  }
}
