import type { ConnectionOptions } from 'node:tls';
import { Redis, type RedisOptions } from 'ioredis';
import type { HostAndPort } from '../config/value-kinds.js';
import { retryDelayMs } from './retry-delay.js';

/** Which Sentinels, and how they are spoken to. */
export interface SentinelOptions {
  readonly sentinels: readonly HostAndPort[];
  /** What they call the primary. */
  readonly name: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** @default no TLS */
  readonly tls?: ConnectionOptions | undefined;
  /** A Sentinel without an answer after this time counts as away. */
  readonly timeoutMs: number;
}

/** A connection to the primary of then. `leave` ends it, so that it is made anew. */
export interface Follower extends HostAndPort {
  leave(): void;
}

interface Answer {
  readonly primary: HostAndPort;
  /** Counts the failovers that the Sentinels have agreed upon: of two answers, the higher one is newer. */
  readonly epoch: number;
}

const SWITCH = '+switch-master';
const KEEP_ALIVE_MS = 10_000;
/** Sentinels that are learned from others; there are three or five, and one that is forgotten nowhere must not pile up. */
const LEARNED_MAX = 16;

/**
 * What most of the Sentinels say, for all connections of a client. One that stands still delays nobody, and one that has slept
 * convinces nobody: more than half of those that are configured have to answer, and the newest configuration among the
 * answers counts. While something follows a primary, the Sentinels are listened to: it leaves as soon as one of them
 * announces another primary, or most of them name one after an announcement could have been missed.
 */
export class SentinelWatch {
  private readonly known = new Map<string, HostAndPort>();
  private readonly followers = new Set<Follower>();
  private readonly listening = new Map<string, Redis>();
  private asking: Promise<HostAndPort> | undefined;

  constructor(private readonly options: SentinelOptions) {
    if (options.sentinels.length === 0) throw new TypeError('name at least one Sentinel');
    for (const sentinel of options.sentinels) this.known.set(keyOf(sentinel), sentinel);
  }

  /** Rejects with what the Sentinels said, or that they said nothing, when too few of them name a primary in time. */
  findPrimary(): Promise<HostAndPort> {
    this.asking ??= this.ask().finally(() => (this.asking = undefined));
    return this.asking;
  }

  /** Call what it returns when the connection is over. */
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
      this.learn(others);
      const [host, port] = address;
      return { primary: { host, port: Number(port) }, epoch: Number(fieldsOf(state).get('config-epoch')) };
    } catch (error) {
      throw cause ?? error; // a command only says that the connection was closed
    } finally {
      redis.disconnect();
    }
  }

  /** The others may be all that is left when those that were configured are gone. */
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

  /** After a time in which an announcement could have been missed. */
  private async lookAgain(): Promise<void> {
    const primary = keyOf(await this.findPrimary());
    for (const follower of [...this.followers]) if (keyOf(follower) !== primary) follower.leave();
  }

  /** `<name> <old host> <old port> <new host> <new port>` (Sentinel documentation, "Pub/sub messages"). */
  private hear(text: string): void {
    const [name, host = '', port] = text.split(' ');
    if (name !== this.options.name) return;
    const deposed = keyOf({ host, port: Number(port) });
    for (const follower of [...this.followers]) if (keyOf(follower) === deposed) follower.leave();
  }

  private connectTo({ host, port }: HostAndPort, behaviour: RedisOptions): Redis {
    const { username, password, tls, timeoutMs } = this.options;
    const redis = new Redis({
      host,
      port,
      ...(username ? { username } : {}),
      ...(password ? { password } : {}),
      ...(tls ? { tls } : {}),
      connectTimeout: timeoutMs,
      enableReadyCheck: false,
      disableClientInfo: true, // a user of Sentinel may be allowed nothing but what is asked here
      autoResubscribe: false,
      ...behaviour,
    });
    redis.on('error', () => undefined); // what was asked is rejected with it
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
