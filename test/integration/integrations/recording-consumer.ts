import type { StartPosition, TopicHandler } from '@bff/integrations/salesforce/events/change-event-source';
import type { SourceEvent } from '@bff/integrations/salesforce/events/source-event';

/** Commits each event that it takes, as a real consumer does, and keeps what it saw in order. */
export class RecordingConsumer implements TopicHandler {
  /** Replay ids and gaps, in the order in which they were handed over. */
  readonly log: string[] = [];
  readonly events: SourceEvent[] = [];
  committed: string | undefined;
  /** Called before an event is taken; may reject or wait. */
  beforeEvent: (event: SourceEvent) => Promise<void> = () => Promise.resolve();
  beforeGap: () => Promise<void> = () => Promise.resolve();
  running = 0;
  runningMax = 0;

  async onEvent(event: SourceEvent): Promise<void> {
    await this.alone(async () => {
      await this.beforeEvent(event);
      this.log.push(String(event.replayId));
      this.events.push(event);
      this.committed = event.replayId;
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
