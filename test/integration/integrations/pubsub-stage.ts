import { PubSubChangeEventSource } from '@bff/integrations/salesforce/events/pubsub-change-event-source';
import type { PubSubOptions } from '@bff/integrations/salesforce/events/pubsub.options';
import type { TopicHealth } from '@bff/integrations/salesforce/events/change-event-source';
import { SalesforceConnection } from '@bff/integrations/salesforce/connection/salesforce-connection';
import { PubSubDouble, type ScriptedChange } from './pubsub-double.js';
import { RecordingConsumer } from './recording-consumer.js';
import { eventually } from '../../support/eventually.js';

export const ORDERS = '/data/OrderChangeEvent';
export const ACCOUNTS = '/data/AccountChangeEvent';
export const CHANGE: ScriptedChange = { fields: { Status: 'Activated' }, changed: ['Status', 'LastModifiedDate'] };

/** Waits that are short enough for a test. */
const QUICK = { retryMinMs: 10, connectRetryMaxMs: 200, refusedRetryMaxMs: 200, handlerRetryMaxMs: 200 };

/** A Pub/Sub source on a scripted Salesforce, with its output. */
export class PubSubStage {
  /** The source that was made last. */
  source!: PubSubChangeEventSource;
  orders = new RecordingConsumer();
  readonly lines: string[] = [];
  private readonly started: PubSubChangeEventSource[] = [];

  private constructor(readonly salesforce: PubSubDouble) {}

  static async open(): Promise<PubSubStage> {
    return new PubSubStage(await PubSubDouble.start());
  }

  get health(): TopicHealth | undefined {
    return this.source.health()[0];
  }

  newSource(options: PubSubOptions = {}): PubSubChangeEventSource {
    const { loginUrl, endpoint } = this.salesforce;
    const connection = new SalesforceConnection({ loginUrl, clientId: 'c', clientSecret: 's' });
    const log = (level: string, text: string): unknown => this.lines.push(`${level}: ${text}`);
    this.source = new PubSubChangeEventSource(connection, { endpoint, settleMs: 0, ...QUICK, log, ...options });
    this.started.push(this.source);
    return this.source;
  }

  async live(): Promise<void> {
    const health = () => this.source.health();
    await eventually(() => health().every(({ state }) => state === 'live'), {
      what: 'every topic is live',
      state: health,
      withinMs: 8_000,
    });
  }

  async startOrders(options: PubSubOptions = {}): Promise<void> {
    this.newSource(options);
    await this.source.start(new Map([[ORDERS, this.orders]]), this.orders.position);
    await this.live();
  }

  publish(change = CHANGE): string {
    return this.salesforce.publish(ORDERS, change);
  }

  /** Resolves when the log has at least as many entries as are given here. */
  async seen(...log: string[]): Promise<void> {
    await eventually(() => this.orders.log.length >= log.length, {
      what: `${log.join()} was handed over`,
      state: () => [this.orders.log, this.source.health()],
      withinMs: 8_000,
    });
  }

  /** Makes the handler wait before each event until the returned function is called. */
  holdHandler(): () => void {
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    this.orders.beforeEvent = () => gate;
    return release;
  }

  async close(): Promise<void> {
    await Promise.all(this.started.splice(0).map((source) => source.stop()));
    await this.salesforce.stop();
  }
}
