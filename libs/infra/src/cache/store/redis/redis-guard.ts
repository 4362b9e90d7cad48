import { Cluster } from 'ioredis';
import { commandTimeoutOf } from '../../../redis/redis-client.js';
import { CacheError, StoreUnavailableError } from '../../cache.errors.js';
import { ReadBreaker } from './read-breaker.js';
import { ReplyDeadline } from './reply-deadline.js';
import type { RedisConnection } from './scripts.js';

const OLDEST_MAJOR = 7;
/** How long `open` waits for a server; after that reads do without it until it is there. */
const OPEN_MS = 1000;
/** A server that was refused, or too slow to tell, is looked at again this often: it may have been configured, or promoted. */
const RECHECK_MS = 250;
/** The part of a command's time, 75 ms, that a caller waits before the source is asked instead (docs/decisions/0005). */
const ASKING_PART = 3 / 8;
const ASKING_MS_MIN = 10;
/** Replies that say "not now" rather than "not like this"; the rest of the errors of a script are defects of ours. */
const PASSING =
  /^(LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|MOVED|ASK|OOM|BUSY|MISCONF|NOREPLICAS|NOAUTH|WRONGPASS|NOPERM|UNKILLABLE|SLOTOPEN|NOHISTORY)|non local key/;

/** The one message of Redis that repeats what it was sent, to say that it does not know the command (seen with 7.0.15). */
const REPEATED_ARGUMENTS = /,? with args beginning with:[^\n]*/g;

/** What a server must not be used for, and whether that may pass without a change of its configuration. */
export interface Refusal {
  readonly reason: string;
  readonly isPassing: boolean;
}

/** A further check of a server, made at every connection; undefined if it may be used. */
export type ServerCheck = () => Promise<Refusal | undefined>;

/** Why what the server holds must not be believed just now, although the server may be used; undefined if it may be. */
export type Doubt = () => string | undefined;

type Listener = () => void;

/**
 * Stands between the store and its connection: nothing is sent while the server is away or must not be used, and every
 * failure to answer becomes a `StoreUnavailableError`.
 *
 * There are two ways through. What tells the store something (an invalidation, a beat, the end of a lease) goes by `run`: it
 * is tried whenever there is a connection, for as long as a command may take. What a caller waits for, and will believe,
 * goes by `ask`: it is given up after three eighths of that time, and not even sent while the server hangs or is in doubt.
 */
export class RedisGuard {
  private refusal: Refusal | undefined;
  /** False from a lost connection until the next server has been looked at. Guards that were never opened do not look. */
  private isChecked = true;
  private recheck: NodeJS.Timeout | undefined;
  /** Checks begun, so that only the newest one tells: an older one may have asked the server before. */
  private checks = 0;
  /** Lets `open` go on. */
  private answered: Listener | undefined;
  private isClosed = false;
  private readonly asking: ReplyDeadline;
  private readonly breaker: ReadBreaker;
  private readonly usableListeners = new Set<Listener>();
  private readonly outageListeners = new Set<Listener>();

  constructor(
    readonly redis: RedisConnection,
    private readonly furtherCheck?: ServerCheck,
    private readonly doubt: Doubt = () => undefined,
  ) {
    this.breaker = new ReadBreaker(
      () => this.asking.within(redis.ping(), (reply) => reply, this.translated),
      () => this.hangs(),
    );
    const askingMs = Math.max(ASKING_MS_MIN, commandTimeoutOf(redis) * ASKING_PART);
    this.asking = new ReplyDeadline(askingMs, this.breaker);
  }

  /** Why nothing can be asked just now; undefined if it can. */
  get reason(): string | undefined {
    return this.commandReason ?? this.doubt() ?? this.breaker.reason;
  }

  /** Why no command at all can be sent. */
  private get commandReason(): string | undefined {
    if (this.isClosed) return 'the store is closed'; // and does not hear any more that another server is there
    if (this.refusal) return this.refusal.reason;
    if (this.redis.status !== 'ready') return `the connection to Redis is ${this.redis.status}`;
    return this.isChecked ? undefined : 'the connection to Redis is new: it is looked at before it is used';
  }

  /** Sends what `command` sends, if the server can be used. */
  async run<T>(command: () => Promise<T>): Promise<T> {
    const { commandReason } = this;
    if (commandReason) throw new StoreUnavailableError(commandReason);
    try {
      return await command();
    } catch (error) {
      throw this.translate(error);
    }
  }

  /**
   * Likewise, for what a caller waits for: `OverdueReplyError` if there is no answer in three eighths of the time, and a
   * refusal at once while the server hangs, or while what it holds is in doubt. `use` makes the result of the reply.
   */
  ask<T, R>(command: () => Promise<T>, use: (reply: T) => R | Promise<R>): Promise<R> {
    // Not an async function: every hit comes this way.
    const { reason } = this;
    if (reason) return Promise.reject(new StoreUnavailableError(reason));
    try {
      return this.asking.within(command(), use, this.translated);
    } catch (error) {
      return Promise.reject(this.translate(error));
    }
  }

  /** Calls back whenever a server has been checked and may be used. */
  onUsable(listener: Listener): void {
    this.usableListeners.add(listener);
  }

  /** Calls back when nothing can be asked any more. It may call more than once for one outage. */
  onOutage(listener: Listener): () => void {
    this.outageListeners.add(listener);
    return () => this.outageListeners.delete(listener);
  }

  /** Whoever answers for the doubt has just begun to have one. */
  tellOutage(): void {
    for (const listener of this.outageListeners) listener();
  }

  /**
   * Connects, and checks that the server may be used; again at every reconnection, because another server may answer then.
   * Rejects only for a server that must not be used. One that is away, or slow to answer, is no reason to fail.
   */
  async open(): Promise<void> {
    if (this.isClosed) return;
    this.isChecked = false;
    this.redis.on('close', this.onConnectionClose);
    this.redis.on('ready', this.onConnectionReady);
    if (this.redis.status === 'wait') this.redis.connect().catch(() => undefined); // its status tells
    if (this.redis.status === 'ready') await this.check();
    else await this.firstAnswer();
    if (this.refusal && !this.refusal.isPassing)
      throw new CacheError('CACHE_STORE_UNSUITABLE', this.refusal.reason, false);
  }

  /** Nothing is sent any more. The connection, which may live on, is left as it was before `open`. */
  close(): void {
    this.isClosed = true;
    this.redis.off('close', this.onConnectionClose);
    this.redis.off('ready', this.onConnectionReady);
    clearTimeout(this.recheck);
    this.breaker.close();
    this.answered?.();
  }

  private readonly onConnectionReady = (): void => void this.check();

  private readonly onConnectionClose = (): void => {
    this.isChecked = false;
    this.answered?.();
    this.tellOutage();
  };

  /** Resolves when the server has been checked, or has not been there for long enough. */
  private async firstAnswer(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      timer = setTimeout(resolve, OPEN_MS);
      this.answered = resolve;
    });
    clearTimeout(timer);
  }

  /** Looks whether the server may be used. Never rejects: what it cannot learn now it asks again. */
  private async check(): Promise<void> {
    clearTimeout(this.recheck);
    const number = ++this.checks;
    const [seen] = await Promise.allSettled([this.examine()]);
    if (this.isClosed || number !== this.checks) return;
    // If it was rejected the connection was lost, or the server slow to answer: it is not used until it has been asked again.
    if (seen.status === 'fulfilled') {
      this.refusal = seen.value;
      this.isChecked = this.refusal === undefined;
    }
    this.answered?.();
    if (!this.isChecked) return this.checkLater();
    for (const listener of this.usableListeners) listener();
  }

  /**
   * For as long as the server is not used and the guard not closed. While the connection is away the timer goes on, because
   * a guard that was never opened is not told when it is back.
   */
  private checkLater(): void {
    clearTimeout(this.recheck);
    this.recheck = setTimeout(() => {
      if (this.redis.status === 'ready') void this.check();
      else this.checkLater();
    }, RECHECK_MS).unref();
  }

  private async examine(): Promise<Refusal | undefined> {
    return serverRefusal(await this.info()) ?? (await this.furtherCheck?.());
  }

  private async info(): Promise<string> {
    const node = this.redis instanceof Cluster ? this.redis.nodes('master')[0] : this.redis;
    if (!node) throw new StoreUnavailableError('no master of the cluster is known');
    return node.info('server', 'memory', 'replication');
  }

  private readonly translated = (error: unknown): Error => this.translate(error);

  private hangs(): void {
    this.asking.giveUpAll();
    this.tellOutage();
  }

  private translate(error: unknown): Error {
    if (!(error instanceof Error) || error instanceof CacheError) return error as Error;
    const isReply = error.name === 'ReplyError';
    if (!isReply && (error instanceof TypeError || error instanceof RangeError)) return error;
    const cause = withoutArguments(error);
    if (isReply && !PASSING.test(error.message)) return cause;
    if (isReply && error.message.startsWith('READONLY')) this.demoted();
    return new StoreUnavailableError(`Redis did not answer: ${cause.message}`, { cause });
  }

  /** The server has become a replica: what it would serve from here on may be old. */
  private demoted(): void {
    if (this.isClosed || this.refusal === REPLICA) return; // known, and looked at again already
    this.isChecked = false;
    this.refusal = REPLICA;
    this.tellOutage();
    void this.check();
  }
}

const REPLICA: Refusal = {
  reason: 'this Redis is a replica: the cache is read from the primary only',
  isPassing: true,
};

/**
 * The error without the keys and values that ioredis puts on it (`command.args`, `lastNodeError`, a parser's `buffer`): they
 * are a customer's, and whoever logs an error logs its fields too. Name, message, stack and the system's `code` stay.
 */
function withoutArguments(error: Error): Error {
  const bare = new Error(error.message.replace(REPEATED_ARGUMENTS, ''));
  const stack = error.stack?.replace(REPEATED_ARGUMENTS, '');
  Object.defineProperties(bare, { name: { value: error.name }, stack: { value: stack } });
  const { code } = error as NodeJS.ErrnoException;
  return code === undefined ? bare : Object.assign(bare, { code });
}

/**
 * What forbids the use of a server with this `INFO`. An `allkeys-*` policy may evict an index, and an index that is gone is
 * silent staleness for ever; a replica may lag behind an acknowledged invalidation.
 */
export function serverRefusal(info: string): Refusal | undefined {
  const version = /redis_version:(\d+)\.(\S+)/.exec(info);
  if (version && Number(version[1]) < OLDEST_MAJOR) {
    const reason = `Redis ${version[1]}.${version[2]} is too old: the cache needs ${OLDEST_MAJOR}.0 or later`;
    return { reason, isPassing: false };
  }
  const policy = /maxmemory_policy:(\S+)/.exec(info)?.[1];
  if (policy?.startsWith('allkeys-')) {
    const reason = `Redis runs with maxmemory-policy ${policy}, which may evict the index of the cache: set noeviction or volatile-lru`;
    return { reason, isPassing: false };
  }
  return /role:slave/.test(info) ? REPLICA : undefined;
}
