import type { EventBatch, StartPosition, TopicHandler } from '@bff/integrations/salesforce/events/change-event-source';
import type { SourceEvent } from '@bff/integrations/salesforce/events/source-event';

/**
 * Commits the position of each batch that it has taken, as a real consumer does, and records what it receives in order.
 */
export class RecordingConsumer implements TopicHandler {
  /** Replay ids and gaps, in the order of their delivery. */
  readonly log: string[] = [];
  readonly events: SourceEvent[] = [];
  committed: string | undefined;
  /** Called before an event is taken; may reject or wait. */
  beforeEvent: (event: SourceEvent) => Promise<void> = () => Promise.resolve();
  beforeGap: () => Promise<void> = () => Promise.resolve();
  /** Sizes of the batches that it has taken. */
  readonly batchSizes: number[] = [];
  readonly positions: (string | undefined)[] = [];
  running = 0;
  runningMax = 0;

  async onEvents(batch: EventBatch): Promise<void> {
    await this.alone(async () => {
      if (this.progress?.batch !== batch) this.progress = { batch, done: 0 };
      const { progress } = this;
      for (const event of batch.events.slice(progress.done)) {
        await this.beforeEvent(event);
        this.log.push(String(event.replayId));
        this.events.push(event);
        progress.done += 1;
      }
      this.batchSizes.push(batch.events.length);
      this.positions.push(batch.position);
      this.committed = batch.position ?? this.committed;
    });
  }

  async onGap(reason: string): Promise<void> {
    await this.alone(async () => {
      await this.beforeGap();
      this.log.push(reason);
    });
  }

  readonly position = (): Promise<StartPosition> =>
    Promise.resolve(this.committed === undefined ? 'latest' : { after: this.committed });

  private progress: { readonly batch: EventBatch; done: number } | undefined;

  private async alone(work: () => Promise<void>): Promise<void> {
    this.running += 1;
    this.runningMax = Math.max(this.runningMax, this.running);
    try {
      await work();
    } finally {
      this.running -= 1;
    }
  }
}
