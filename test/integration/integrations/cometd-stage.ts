import { CometdChangeEventSource } from '@bff/integrations/salesforce/events/cometd-change-event-source';
import type { CometdOptions } from '@bff/integrations/salesforce/events/cometd.options';
import { SalesforceConnection } from '@bff/integrations/salesforce/connection/salesforce-connection';
import { RecordingConsumer } from './recording-consumer.js';
import { StreamingDouble } from './streaming-double.js';
import { eventually } from '../../support/eventually.js';

export const ORDERS = '/data/OrderChangeEvent';
export const ACCOUNTS = '/data/AccountChangeEvent';

/** Waits that are short enough for a test. */
const QUICK = { retryMinMs: 10, connectRetryMaxMs: 200, refusedRetryMaxMs: 200, handlerRetryMaxMs: 200 };

export function orderChange(n: number): object {
  return {
    ChangeEventHeader: {
      entityName: 'Order',
      recordIds: ['801xx0000000001AAA'],
      changeType: 'UPDATE',
      changedFields: ['Status', 'LastModifiedDate'],
      commitTimestamp: 1_795_206_150_000 + n,
      transactionKey: `t-${n}`,
      sequenceNumber: 1,
      commitNumber: n,
      commitUser: '005xx0000000001AAA',
      changeOrigin: '',
    },
    Status: 'Activated',
  };
}

/** A CometD source on a scripted Salesforce, with its output. */
export class CometdStage {
  /** The source that was made last. */
  source!: CometdChangeEventSource;
  readonly orders = new RecordingConsumer();
  readonly lines: string[] = [];
  private readonly started: CometdChangeEventSource[] = [];

  private constructor(public salesforce: StreamingDouble) {}

  static async open(): Promise<CometdStage> {
    return new CometdStage(await StreamingDouble.start());
  }

  newSource(options: CometdOptions = {}): CometdChangeEventSource {
    const connection = new SalesforceConnection({ loginUrl: this.salesforce.url, clientId: 'c', clientSecret: 's' });
    const log = (level: string, text: string): unknown => this.lines.push(`${level}: ${text}`);
    this.source = new CometdChangeEventSource(connection, { settleMs: 0, ...QUICK, log, ...options });
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

  async startOrders(options: CometdOptions = {}): Promise<void> {
    this.newSource(options);
    await this.source.start(new Map([[ORDERS, this.orders]]), this.orders.position);
    await this.live();
  }

  publish(n: number): string {
    return String(this.salesforce.publish(ORDERS, orderChange(n)));
  }

  /** Resolves when the log has at least as many entries as are given here. */
  async seen(...log: string[]): Promise<void> {
    await eventually(() => this.orders.log.length >= log.length, {
      what: `${log.join()} was handed over`,
      state: () => [this.orders.log, this.source.health()],
      withinMs: 8_000,
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.started.splice(0).map((source) => source.stop()));
    await this.salesforce.stop();
  }
}
