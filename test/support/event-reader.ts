import { get, type IncomingMessage } from 'node:http';
import { eventually } from './eventually.js';

/** One event as received over the wire. */
export interface ReceivedEvent {
  readonly event: string;
  readonly id: string | undefined;
  readonly data: Record<string, unknown>;
}

/** A browser's side of an event stream, over a real connection. */
export class EventReader {
  readonly events: ReceivedEvent[] = [];
  /** The id from which a browser would resume: that of the last block with an id, even if the block holds no event. */
  lastEventId: string | undefined;
  retryMs: number | undefined;
  comments = 0;
  hasEnded = false;
  private text = '';

  private constructor(readonly response: IncomingMessage) {
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => this.receive(chunk));
    response.once('close', () => (this.hasEnded = true));
    response.on('error', () => undefined);
  }

  /** Resolves when the response headers arrive, whatever the status. */
  static async open(url: string, headers: Record<string, string>): Promise<EventReader> {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      get(url, { headers, agent: false }, resolve).once('error', reject);
    });
    return new EventReader(response);
  }

  get names(): string[] {
    return this.events.map(({ event }) => event);
  }

  /** Resolves with the first event of this name after the first `after` events. */
  async next(name: string, after = 0, withinMs = 10_000): Promise<ReceivedEvent> {
    const found = () => this.events.slice(after).find(({ event }) => event === name);
    await eventually(() => found() !== undefined, {
      withinMs,
      what: `an event ${name} after ${after} (there were ${this.names.join(', ') || 'none'})`,
    });
    return found() as ReceivedEvent;
  }

  async ended(): Promise<void> {
    await eventually(() => this.hasEnded, { what: 'the end of the stream' });
  }

  close(): void {
    this.response.destroy();
  }

  private receive(chunk: string): void {
    const blocks = (this.text + chunk).split('\n\n');
    this.text = blocks.pop() ?? '';
    blocks.forEach((block) => this.take(block));
  }

  private take(block: string): void {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
    if (/^:/m.test(block)) this.comments += 1;
    const id = field('id');
    if (id !== undefined) this.lastEventId = id;
    const retry = field('retry');
    if (retry !== undefined) this.retryMs = Number(retry);
    const event = field('event');
    if (event !== undefined) this.events.push({ event, id, data: JSON.parse(field('data') ?? '{}') });
  }
}
