import { expect } from '@jest/globals';
import type { ChangeEventSource, TopicHealth } from '@bff/integrations/salesforce/events/change-event-source';
import type { ChangeEvent, SourceEvent } from '@bff/integrations/salesforce/events/source-event';
import type { StreamOptions } from '@bff/integrations/salesforce/events/stream.options';
import { SalesforceConnection } from '@bff/integrations/salesforce/connection/salesforce-connection';
import { type Sandbox, startSandbox } from '../../../apps/sandbox/src/sandbox.js';
import { RecordingConsumer } from '../../integration/integrations/recording-consumer.js';
import { eventually } from '../../support/eventually.js';

export const ORDERS = '/data/OrderChangeEvent';
export const ALL_CHANGES = '/data/ChangeEvents';

/** Options that both transports have, and the time of the watchdog. */
export type LabOptions = StreamOptions & { readonly watchdogMs?: number };

/** All that differs between the transports in these tests: the name, and how a source on the sandbox is made. */
export interface Transport {
  readonly name: 'cometd' | 'pubsub';
  create(sandbox: Sandbox, connection: SalesforceConnection, options: LabOptions): ChangeEventSource;
}

/** Waits that are short enough for a test. */
const QUICK = {
  settleMs: 0,
  retryMinMs: 10,
  connectRetryMaxMs: 100,
  refusedRetryMaxMs: 100,
  handlerRetryMaxMs: 50,
  accessCheckMs: 50,
};

/** One topic that one source delivers to one consumer. */
export class Listener {
  constructor(
    readonly topic: string,
    readonly source: ChangeEventSource,
    readonly consumer: RecordingConsumer,
  ) {}

  get health(): TopicHealth {
    return this.source.health()[0] as TopicHealth;
  }

  /** The change events, in the order of their arrival. */
  get changes(): ChangeEvent[] {
    return this.consumer.events.filter((event): event is ChangeEvent => event.kind === 'change');
  }

  async live(): Promise<void> {
    await this.until('it is live', () => this.health.state === 'live');
  }

  /** Resolves with all events when there are `count`; fails if there are more. */
  async events(count: number): Promise<SourceEvent[]> {
    const { events } = this.consumer;
    await this.until(`${count} events have come`, () => events.length >= count);
    expect(events).toHaveLength(count);
    return events;
  }

  /** Like `events`, but all of them must be changes. */
  async changed(count: number): Promise<ChangeEvent[]> {
    await this.events(count);
    expect(this.changes).toHaveLength(count);
    return this.changes;
  }

  async until(what: string, condition: () => boolean): Promise<void> {
    await eventually(condition, { what: what, state: () => [this.consumer.log, this.health], withinMs: 8_000 });
  }
}

/** A sandbox, and the sources that a test starts on it. */
export class EventSourceLab {
  private readonly started: ChangeEventSource[] = [];
  readonly lines: string[] = [];

  private constructor(
    readonly transport: Transport,
    readonly sandbox: Sandbox,
  ) {}

  static async open(transport: Transport): Promise<EventSourceLab> {
    return new EventSourceLab(transport, await startSandbox({ port: 0, latencyMs: 0, connectTimeoutMs: 1_000 }));
  }

  source(options: LabOptions = {}, create = this.transport.create): ChangeEventSource {
    const credentials = { clientId: 'sandbox-client', clientSecret: 'sandbox-secret' };
    const connection = new SalesforceConnection({ loginUrl: this.sandbox.url, ...credentials });
    const log = (level: string, text: string): unknown => this.lines.push(`${level}: ${text}`);
    const source = create(this.sandbox, connection, { ...QUICK, log, ...options });
    this.started.push(source);
    return source;
  }

  /** Starts a source for one topic; resolves when it is live. */
  async listen(
    topic = ORDERS,
    { consumer = new RecordingConsumer(), ...options }: LabOptions & { readonly consumer?: RecordingConsumer } = {},
  ): Promise<Listener> {
    const listener = new Listener(topic, this.source(options), consumer);
    await listener.source.start(new Map([[topic, consumer]]), consumer.position);
    await listener.live();
    return listener;
  }

  /** Ids of existing orders. */
  orders(count: number): string[] {
    return this.sandbox.org
      .records('Order')
      .slice(0, count)
      .map(({ Id }) => Id);
  }

  /** Changes one order; each change is different. Returns the order's id. */
  change(): string {
    const [id = ''] = this.orders(1);
    this.changes += 1;
    this.sandbox.org.update('Order', id, { Description: this.newest });
    return id;
  }

  /** The value that the newest change has written. */
  get newest(): string {
    return `change ${this.changes}`;
  }

  /** Stops the sources of a test, and ends every fault. */
  async clear(): Promise<void> {
    this.sandbox.endFaults();
    await Promise.all(this.started.splice(0).map((source) => source.stop()));
    this.lines.length = 0;
  }

  close(): Promise<void> {
    return this.sandbox.close();
  }

  private changes = 0;
}
