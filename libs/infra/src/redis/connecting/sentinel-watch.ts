import type { ConnectionOptions } from 'node:tls';
import { Redis, type RedisOptions } from 'ioredis';
import type { HostAndPort } from './redis-address.js';
import { ServerConnector } from './server-connector.js';
import { mayBeTlsMismatch, tlsMismatch } from './tls-mismatch.js';
import { retryDelayMs } from '../lasting-redis.js';

/** The Sentinels, and how to connect to them. */
export interface SentinelOptions {
  readonly sentinels: readonly HostAndPort[];
  /** Their name for the primary. */
  readonly name: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** @default no TLS */
  readonly tls?: ConnectionOptions | undefined;
  /** A Sentinel without an answer after this time counts as away. */
  readonly timeoutMs: number;
}

/** A connection to the server that was the primary when it was made. `leave` ends it, so that it is made anew. */
export interface Follower extends HostAndPort {
  leave(): void;
}

interface Answer {
  readonly primary: HostAndPort;
  /** Counts the failovers that the Sentinels agreed on: the answer with the higher epoch is newer. */
  readonly epoch: number;
}

const SWITCH = '+switch-master';
const KEEP_ALIVE_MS = 10_000;
/**
 * Maximum number of Sentinels learned from others. Usually there are three or five in all, but retired ones, which are
 * never forgotten, must not pile up.
 */
const LEARNED_MAX = 16;

/**
 * Finds the primary for all connections of a client. More than half of the configured number of Sentinels must answer,
 * and the newest configuration among these answers counts: an outdated Sentinel decides nothing, and a hanging one
 * delays nothing while enough others answer. While a follower is connected, the watch subscribes to the Sentinels. The
 * follower leaves as soon as one of them announces that its server was replaced, or `findPrimary` names another after
 * an announcement may have been missed.
 */
export class SentinelWatch {
  private readonly known = new Map<string, HostAndPort>();
  private readonly followers = new Set<Follower>();
  private readonly listening = new Map<string, Redis>();
  private asking: Promise<HostAndPort> | undefined;
  private hasAnyAnswered = false;

  constructor(private readonly options: SentinelOptions) {
    if (options.sentinels.length === 0) throw new TypeError('name at least one Sentinel');
    for (const sentinel of options.sentinels) this.known.set(keyOf(sentinel), sentinel);
  }

  /** Rejects with the Sentinels' errors when too few of them name a primary in time. */
  findPrimary(): Promise<HostAndPort> {
    this.asking ??= this.ask().finally(() => (this.asking = undefined));
    return this.asking;
  }

  /** Returns a function to call when the connection is over. */
  follow(follower: Follower): () => void {
    this.followers.add(follower);
    this.listen();
    return () => {
      this.followers.delete(follower);
      if (this.followers.size === 0) this.stopListening();
    };
  }

  private ask(): Promise<HostAndPort> {
    const sentinels = [...this.known.values()];
    const needed = Math.floor(this.options.sentinels.length / 2) + 1;
    const answers: Answer[] = [];
    const failures: string[] = [];
    return new Promise((resolve, reject) => {
      const failed = (sentinel: HostAndPort, error: Error) => {
        failures.push(`${keyOf(sentinel)}: ${error.message}`);
        if (sentinels.length - failures.length >= needed) return;
        const told = `${answers.length} of the ${needed} Sentinels that are needed named the primary`;
        reject(new Error(`${told} "${this.options.name}" (${failures.join('; ')})`));
      };
      for (const sentinel of sentinels) {
        this.askOne(sentinel).then(
          (answer) => {
            answers.push(answer);
            if (answers.length >= needed) resolve(newest(answers).primary);
          },
          (error: Error) => failed(sentinel, error),
        );
      }
    });
  }

  private async askOne(sentinel: HostAndPort): Promise<Answer> {
    const { name, timeoutMs } = this.options;
    const redis = this.connectTo(sentinel, { retryStrategy: null, commandTimeout: timeoutMs });
    let cause: Error | undefined;
    redis.on('error', (error: Error) => (cause ??= error));
    try {
      const [address, state, others] = (await Promise.all([
        redis.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name),
        redis.call('SENTINEL', 'MASTER', name),
        redis.call('SENTINEL', 'SENTINELS', name),
      ])) as [[string, string], string[], string[][]];
      this.hasAnyAnswered = true;
      this.learn(others);
      const [host, port] = address;
      return { primary: { host, port: Number(port) }, epoch: Number(fieldsOf(state).get('config-epoch')) };
    } catch (error) {
      const failure = cause ?? (error as Error); // a command only reports that the connection was closed
      throw await this.explained(failure, sentinel);
    } finally {
      redis.disconnect();
    }
  }

  /** The failure of a Sentinel, or what is wrong with TLS; the question is put only until one has answered. */
  private async explained(failure: Error, sentinel: HostAndPort): Promise<Error> {
    if (this.hasAnyAnswered || !mayBeTlsMismatch(failure)) return failure;
    const mismatch = await tlsMismatch(sentinel, this.options.tls !== undefined);
    return mismatch === undefined ? failure : new Error(mismatch, { cause: failure });
  }

  /** Remembers the other Sentinels: they may be all that is left when the configured ones are gone. */
  private learn(others: readonly string[][]): void {
    for (const fields of others.map(fieldsOf)) {
      const sentinel = { host: fields.get('ip') ?? '', port: Number(fields.get('port')) };
      const isUsable = sentinel.host !== '' && sentinel.port > 0 && !/s_down/.test(fields.get('flags') ?? '');
      const isFull = this.known.size >= this.options.sentinels.length + LEARNED_MAX;
      if (isUsable && !isFull) this.known.set(keyOf(sentinel), sentinel);
    }
  }

  private listen(): void {
    for (const [key, sentinel] of this.known) {
      if (this.listening.has(key)) continue;
      const redis = this.connectTo(sentinel, { retryStrategy: retryDelayMs, keepAlive: KEEP_ALIVE_MS });
      this.listening.set(key, redis);
      redis.on('message', (_channel, text: string) => this.hear(text));
      redis.on('ready', () => void this.subscribe(redis));
    }
  }

  private stopListening(): void {
    for (const redis of this.listening.values()) redis.disconnect();
    this.listening.clear();
  }

  private async subscribe(redis: Redis): Promise<void> {
    try {
      await redis.subscribe(SWITCH);
      await this.lookAgain();
    } catch {
      // The Sentinel went away again (the next connection subscribes), or too few answered (the primary may be well).
    }
  }

  /** Asks again, because an announcement may have been missed; followers of any other server leave. */
  private async lookAgain(): Promise<void> {
    const primary = keyOf(await this.findPrimary());
    for (const follower of [...this.followers]) if (keyOf(follower) !== primary) follower.leave();
  }

  /**
   * Followers of the deposed server leave. The announcement is `<name> <old host> <old port> <new host> <new port>`
   * (Sentinel documentation, "Pub/sub messages").
   */
  private hear(text: string): void {
    const [name, host = '', port] = text.split(' ');
    if (name !== this.options.name) return;
    const deposed = keyOf({ host, port: Number(port) });
    for (const follower of [...this.followers]) if (keyOf(follower) === deposed) follower.leave();
  }

  private connectTo({ host, port }: HostAndPort, behaviour: RedisOptions): Redis {
    const { username, password, tls, timeoutMs } = this.options;
    const redis = new Redis({
      Connector: ServerConnector,
      host,
      port,
      ...(username ? { username } : {}),
      ...(password ? { password } : {}),
      ...(tls ? { tls } : {}),
      connectTimeout: timeoutMs,
      enableReadyCheck: false,
      disableClientInfo: true, // a Sentinel user may be allowed only the commands used here
      autoResubscribe: false,
      ...behaviour,
    });
    redis.on('error', () => undefined); // ioredis would print it; the commands are rejected as well
    return redis;
  }
}

function newest(answers: readonly Answer[]): Answer {
  return answers.reduce((best, next) => (next.epoch > best.epoch ? next : best));
}

function fieldsOf(reply: readonly string[]): ReadonlyMap<string, string> {
  return new Map(reply.flatMap((name, i) => (i % 2 === 0 ? [[name, reply[i + 1] ?? ''] as const] : [])));
}

function keyOf({ host, port }: HostAndPort): string {
  return `${host}:${port}`;
}
