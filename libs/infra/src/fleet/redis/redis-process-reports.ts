import { readFileSync } from 'node:fs';
import { commandsIn, needsOf } from '../../redis/needs.js';
import { StoreUnavailableError } from '../../cache/cache.errors.js';
import { reportDefect } from '../../process/defect-report.js';
import { ProcessReports, type CountedReports, type ProcessReport } from '../process-reports.js';
import { countersSince } from './counters-since.js';
import { SharedConnection } from './shared-connection.js';
import type { RedisClient } from '../../redis/redis-client.js';
import { failureOf } from '../../redis/refused-reply.js';

const PERIOD_MS = 1000;
/** How long Redis keeps a report. A process that has not written for this long, five times its period, counts as gone. */
const LIVE_MS = 5_000;
/** How long the index of a topic outlives the last write. */
const INDEX_MS = 60_000;
/** How long the counters of a topic outlive the last write: longer than any stop of the whole application should be. */
const COUNTED_MS = 7 * 86_400_000;
/** How many reports of ended processes are kept apart at most, before they are added up. */
const APART_MAX = 32;

const SCRIPTS = ['count', 'counted'] as const;
type Script = (typeof SCRIPTS)[number];
const PREFIX = 'evergreen_reports_';
/** Commands that are sent without a script. */
const DIRECT = ['DEL', 'MGET', 'PEXPIRE', 'SADD', 'SET', 'SMEMBERS', 'SREM'] as const;

/** What this process publishes under a topic. */
interface Published {
  content: () => unknown;
  readonly isCounted: boolean;
  /**
   * The counters that were last sent and not refused, so they may be in the sum also if no reply came; undefined before
   * the first.
   */
  sent?: unknown;
  /** The counters that were added up when this process was taken for ended; they are not published again. */
  base?: unknown;
  /** The newest count, settled or not. */
  last?: Promise<boolean>;
  /** The newest count while it waits for the one before it. */
  next?: Promise<boolean> | undefined;
}

/** Reports of all processes: one expiring key for each report, all in one slot, so that one command reads them. */
export class RedisProcessReports extends ProcessReports {
  private readonly connection: SharedConnection;
  private readonly tag: string;
  private readonly published = new Map<string, Published>();
  private readonly timer: NodeJS.Timeout;

  constructor(
    redis: RedisClient,
    appName: string,
    private readonly processId: string,
  ) {
    super();
    this.connection = new SharedConnection(redis);
    this.tag = `{${appName}.reports}`;
    const commands = new Set<string>(DIRECT);
    for (const name of SCRIPTS) {
      const lua = readFileSync(new URL(`./lua/${name}.lua`, import.meta.url), 'utf8');
      redis.defineCommand(PREFIX + name, { numberOfKeys: 2, lua });
      for (const command of commandsIn(lua)) commands.add(command);
    }
    needsOf(redis).set(this.tag, {
      part: 'the reports of the processes',
      keys: [this.index('')],
      keyPattern: `${this.tag}:*`,
      scratchKey: `${this.tag}:pr`,
      commands: [...commands],
    });
    this.timer = setInterval(() => void this.writeAll(), PERIOD_MS).unref();
  }

  publish(topic: string, content: () => unknown): void {
    this.begin(topic, { content, isCounted: false });
  }

  publishCounters(topic: string, content: () => object): void {
    const known = this.published.get(topic);
    this.begin(topic, known?.isCounted ? Object.assign(known, { content }) : { content, isCounted: true });
  }

  async read(topic: string): Promise<ProcessReport[]> {
    const reports = (await this.readOthers(topic)).filter((report) => report.processId !== this.processId);
    const own = this.published.get(topic);
    if (own) reports.push(this.report(own));
    return reports;
  }

  async readCounters(topic: string): Promise<CountedReports> {
    const own = this.published.get(topic);
    if (own?.isCounted) await this.count(topic, own);
    const [live, ended] = (await this.connection.run((redis) => this.send(redis, 'counted', topic, []))) as [
      string[],
      string[],
    ];
    const parsed = (texts: string[]) => texts.map((text) => JSON.parse(text) as ProcessReport);
    return { live: parsed(live), ended: parsed(ended) };
  }

  /** Publishes the counters a last time, then nothing, and deletes this process' reports; what it counted is kept. */
  async close(): Promise<void> {
    clearInterval(this.timer);
    const published = [...this.published];
    this.published.clear();
    try {
      for (const [topic, own] of published) if (own.isCounted) await this.count(topic, own);
      const keys = published.map(([topic]) => this.key(topic, this.processId));
      if (keys.length > 0) await this.connection.run((redis) => redis.del(...keys));
    } catch (error) {
      // If the store is away, the keys expire by themselves.
      if (!(error instanceof StoreUnavailableError)) reportDefect(error);
    }
    this.connection.close();
  }

  private begin(topic: string, own: Published): void {
    this.published.set(topic, own);
    void this.write(topic, own);
  }

  private report({ content, base }: Published): ProcessReport {
    const counted = base === undefined ? content() : countersSince(content(), base);
    return { processId: this.processId, at: Date.now(), content: counted };
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
    for (const [topic, own] of this.published) await this.write(topic, own);
  }

  private async write(topic: string, own: Published): Promise<void> {
    try {
      const isNew = own.isCounted ? await this.count(topic, own) : await this.show(topic, own);
      // Each start of a process has a new id. A process that adds its id to the index removes those of dead processes,
      // so the index does not grow even if nobody reads it.
      if (isNew) await this.readOthers(topic);
    } catch (error) {
      // While the store is away its health says so, and the next second retries. Any other error is a defect of ours.
      if (!(error instanceof StoreUnavailableError)) reportDefect(error);
    }
  }

  /** Resolves with whether this process is new in the index. */
  private async show(topic: string, own: Published): Promise<boolean> {
    const text = JSON.stringify(this.report(own));
    await this.connection.run((redis) => redis.set(this.key(topic, this.processId), text, 'PX', LIVE_MS));
    const added = await this.connection.run((redis) => redis.sadd(this.index(topic), this.processId));
    await this.connection.run((redis) => redis.pexpire(this.index(topic), INDEX_MS));
    return added > 0;
  }

  /**
   * Resolves with whether this process is new under the topic, once the counters of this moment or later ones are
   * counted. One count of a topic is under way at a time, and at most one waits: all who ask meanwhile share it.
   */
  private count(topic: string, own: Published): Promise<boolean> {
    if (own.next) return own.next;
    const counting = Promise.allSettled([own.last]).then(() => {
      own.next = undefined;
      return this.countNow(topic, own);
    });
    own.last = own.next = counting;
    return counting;
  }

  /**
   * A process that was away for so long that its counters were added up publishes what it has counted since it last
   * sent any. If the reply to that was lost, what was counted since the sending before it may be missing in the sum;
   * nothing is in it twice.
   */
  private async countNow(topic: string, own: Published): Promise<boolean> {
    const isNew = own.sent === undefined;
    if (await this.counted(topic, own)) return isNew;
    own.base = own.sent;
    own.sent = undefined;
    await this.counted(topic, own);
    return true;
  }

  /** Sends the counters; false if this process was taken for ended, which only one that has sent some can be. */
  private async counted(topic: string, own: Published): Promise<boolean> {
    const { sent: before } = own;
    const content = own.content();
    const report: ProcessReport = this.report({ ...own, content: () => content });
    const bounds = [LIVE_MS, INDEX_MS, COUNTED_MS, APART_MAX];
    const args = [this.processId, JSON.stringify(report), before === undefined ? 'new' : 'known', ...bounds];
    return this.connection.run(async (redis) => {
      own.sent = content;
      try {
        const isTaken = (await this.send(redis, 'count', topic, args)) === 1;
        if (!isTaken) own.sent = before;
        return isTaken;
      } catch (error) {
        if (failureOf(error).kind === 'refused') own.sent = before;
        throw error;
      }
    });
  }

  private send(redis: RedisClient, name: Script, topic: string, args: readonly (string | number)[]): Promise<unknown> {
    const commands = redis as unknown as Record<string, (...args: (string | number)[]) => Promise<unknown>>;
    const command = commands[PREFIX + name] as (...args: (string | number)[]) => Promise<unknown>;
    return command.call(redis, this.index(topic), `${this.tag}:counted:${topic}`, ...args);
  }

  private key(topic: string, processId: string): string {
    return `${this.tag}:${topic}:${processId}`;
  }

  private index(topic: string): string {
    return `${this.tag}:${topic}`;
  }
}
