import { needsOf } from '../../redis/needs.js';
import { StoreUnavailableError } from '../../cache/cache.errors.js';
import { reportDefect } from '../../process/defect-report.js';
import { ProcessReports, type ProcessReport } from '../process-reports.js';
import { SharedConnection } from './shared-connection.js';
import type { RedisClient } from '../../redis/redis-client.js';

const PERIOD_MS = 1000;
/** How long Redis keeps a report. A process that has not written for this long counts as gone. */
const LIVE_MS = 10_000;
/** How long the index of a topic outlives the last write. */
const INDEX_MS = 6 * LIVE_MS;

/** Reports of all processes: one expiring key for each report, all in one slot, so that one command reads them. */
export class RedisProcessReports extends ProcessReports {
  private readonly connection: SharedConnection;
  private readonly tag: string;
  private readonly published = new Map<string, () => unknown>();
  private readonly timer: NodeJS.Timeout;

  constructor(
    redis: RedisClient,
    appName: string,
    private readonly processId: string,
  ) {
    super();
    this.connection = new SharedConnection(redis);
    this.tag = `{${appName}.reports}`;
    needsOf(redis).set(this.tag, {
      part: 'the reports of the processes',
      keys: [this.index('')],
      keyPattern: `${this.tag}:*`,
      scratchKey: `${this.tag}:pr`,
      commands: ['DEL', 'MGET', 'PEXPIRE', 'SADD', 'SET', 'SMEMBERS', 'SREM'],
    });
    this.timer = setInterval(() => void this.writeAll(), PERIOD_MS).unref();
  }

  publish(topic: string, content: () => unknown): void {
    this.published.set(topic, content);
    void this.write(topic, content);
  }

  async read(topic: string): Promise<ProcessReport[]> {
    const reports = (await this.readOthers(topic)).filter((report) => report.processId !== this.processId);
    const own = this.published.get(topic);
    if (own) reports.push({ processId: this.processId, at: Date.now(), content: own() });
    return reports;
  }

  /** Stops publishing and deletes this process' reports. */
  async close(): Promise<void> {
    clearInterval(this.timer);
    const keys = [...this.published.keys()].map((topic) => this.key(topic, this.processId));
    this.published.clear();
    // If the store is away, the keys expire by themselves.
    if (keys.length > 0) await this.connection.run((redis) => redis.del(...keys)).catch(() => undefined);
    this.connection.close();
  }

  private async readOthers(topic: string): Promise<ProcessReport[]> {
    const ids = await this.connection.run((redis) => redis.smembers(this.index(topic)));
    if (ids.length === 0) return [];
    const texts = await this.connection.run((redis) => redis.mget(...ids.map((id) => this.key(topic, id))));
    const gone = ids.filter((_, i) => texts[i] === null);
    if (gone.length > 0) await this.connection.run((redis) => redis.srem(this.index(topic), ...gone));
    return texts.flatMap((text) => (text ? [JSON.parse(text) as ProcessReport] : []));
  }

  private async writeAll(): Promise<void> {
    for (const [topic, content] of this.published) await this.write(topic, content);
  }

  private async write(topic: string, content: () => unknown): Promise<void> {
    try {
      const report: ProcessReport = { processId: this.processId, at: Date.now(), content: content() };
      await this.connection.run((redis) =>
        redis.set(this.key(topic, this.processId), JSON.stringify(report), 'PX', LIVE_MS),
      );
      const added = await this.connection.run((redis) => redis.sadd(this.index(topic), this.processId));
      await this.connection.run((redis) => redis.pexpire(this.index(topic), INDEX_MS));
      // Each start of a process has a new id. A process that adds its id to the index removes those of dead processes,
      // so the index does not grow even if nobody reads it.
      if (added > 0) await this.readOthers(topic);
    } catch (error) {
      // While the store is away its health says so, and the next second retries. Any other error is a defect of ours.
      if (!(error instanceof StoreUnavailableError)) reportDefect(error);
    }
  }

  private key(topic: string, processId: string): string {
    return `${this.tag}:${topic}:${processId}`;
  }

  private index(topic: string): string {
    return `${this.tag}:${topic}`;
  }
}
