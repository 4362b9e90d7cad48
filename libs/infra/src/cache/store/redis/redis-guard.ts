import { Cluster } from 'ioredis';
import { sentence } from '../../../redis/permission-examination.js';
import { commandTimeoutOf } from '../../../redis/redis-client.js';
import { Refusals } from '../../../redis/refusals.js';
import { FULL_TRUST } from '../../../redis/trust.js';
import { CacheError, StoreUnavailableError } from '../../cache.errors.js';
import { ReadBreaker } from './read-breaker.js';
import { isDefect, isMomentary, isReply, withoutArguments, wordsOf } from './refused-reply.js';
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
/** How long a refusal that the examination of the server does not explain is shown after it was seen last. */
const REFUSED_SHOWN_MS = 2000;

/** What our own scripts refuse in a partition that has to be looked at first (`use` in `_partition.lua`). */
const OWN_REFUSAL = /^(SLOTOPEN|NOHISTORY) /;

/** What a server must not be used for, and whether that may pass without a change of its configuration. */
export interface Refusal {
  readonly reason: string;
  readonly isPassing: boolean;
}

/** A further check of a server, made at every connection; undefined if it may be used. */
export type ServerCheck = () => Promise<Refusal | undefined>;

type Listener = () => void;

/**
 * Stands between the store and its connection: nothing is sent while the server is away or must not be used, and every
 * failure to answer becomes a `StoreUnavailableError`.
 *
 * There are two ways through. What tells the store something (an invalidation, a beat, the end of a lease) goes by `run`: it
 * is tried whenever there is a connection, for as long as a command may take. What a caller waits for, and will believe,
 * goes by `ask`: it is given up after three eighths of that time, and not even sent while the server hangs.
 */
export class RedisGuard {
  private refusal: Refusal | undefined;
  /** False from a lost connection until the next server has been looked at. Guards that were never opened do not look. */
  private isChecked = true;
  /** Why the last look at the server came to no end; undefined if it did. */
  private unexamined: string | undefined;
  private isOpened = false;
  private recheck: NodeJS.Timeout | undefined;
  /** What was refused although the server may be used: it is looked at again because of it. */
  private suspicion: string | undefined;
  private forgetting: NodeJS.Timeout | undefined;
  private checkedAt = -Infinity;
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
    return this.commandReason ?? this.breaker.reason;
  }

  /** Why no command at all can be sent. */
  private get commandReason(): string | undefined {
    if (this.isClosed) return 'the store is closed'; // and does not hear any more that another server is there
    if (this.refusal) return this.refusal.reason;
    if (this.redis.status !== 'ready') return `the connection to Redis is ${this.redis.status}`;
    if (this.isChecked) return undefined;
    return this.unexamined ?? 'the connection to Redis is new: it is looked at before it is used';
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
   * refusal at once while the server hangs. `use` makes the result of the reply. A primary
   * that is not trusted is not asked, and what it answers is not believed.
   */
  ask<T, R>(command: () => Promise<T>, use: (reply: T) => R | Promise<R>, trust = FULL_TRUST): Promise<R> {
    // Not an async function: every hit comes this way.
    const { reason } = this;
    if (reason) return Promise.reject(new StoreUnavailableError(reason));
    if (!trust.holds()) return Promise.reject(new StoreUnavailableError(trust.reason));
    try {
      return this.asking.within(command(), use, this.translated, trust);
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

  /** What was asked of a partition, or of a primary, may be worth nothing: whoever answers for that says so. */
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
    this.isOpened = true;
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
    clearTimeout(this.forgetting);
    this.tellRefusals(undefined);
    this.breaker.close();
    this.answered?.();
  }

  private readonly onConnectionReady = (): void => void this.check();

  private readonly onConnectionClose = (): void => {
    this.isChecked = false;
    this.unexamined = undefined;
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
    this.checkedAt = performance.now();
    const { suspicion } = this;
    this.suspicion = undefined;
    const [seen] = await Promise.allSettled([this.examine()]);
    if (this.isClosed || number !== this.checks) return;
    const wasUsed = this.isChecked;
    if (seen.status === 'fulfilled') {
      this.refusal = seen.value;
      this.unexamined = undefined;
      this.isChecked = this.refusal === undefined;
    } else {
      // The connection was lost, or the server is slow, or refuses to be looked at: it is not used until that has been done.
      // A server that is in use already goes on being used if it was only slow.
      this.unexamined = `Redis could not be looked at, so it is not used: ${wordsOf(seen.reason)}`;
      this.isChecked &&= !isReply(seen.reason) || isMomentary((seen.reason as Error).message);
    }
    this.answered?.();
    this.tellRefusals(this.isChecked ? undefined : (this.unexamined ?? this.refusal?.reason), suspicion);
    if (!this.isChecked) {
      if (wasUsed) this.tellOutage();
      return this.checkLater();
    }
    for (const listener of this.usableListeners) listener();
  }

  /** What health and the log are told: why the server is not used, or what it refused although it is. */
  private tellRefusals(reason: string | undefined, command?: string): void {
    if (!this.isOpened) return; // one of its neighbours on this connection was, and tells
    const refusals = Refusals.of(this.redis);
    refusals.tell('the cache', reason);
    if (reason !== undefined || this.isClosed) refusals.tell('a command', undefined);
    else if (command !== undefined) {
      refusals.tell('a command', command);
      clearTimeout(this.forgetting);
      this.forgetting = setTimeout(() => refusals.tell('a command', undefined), REFUSED_SHOWN_MS).unref();
    }
  }

  /**
   * A command was refused by a server that is in use. What it cannot do at this moment is told as it was seen; for anything
   * else the server is looked at again, because the examination knows what mends it. Until then it is used as before: it may
   * have been that one command.
   */
  suspect(words: string): void {
    if (!this.isOpened || this.isClosed || !this.isChecked) return; // not in use: why is known, or is found out already
    if (isMomentary(words)) return this.tellRefusals(undefined, words);
    const isKnown = this.suspicion !== undefined;
    this.suspicion = words;
    if (isKnown) return; // and soon looked at
    clearTimeout(this.recheck);
    const wait = Math.max(0, this.checkedAt + RECHECK_MS - performance.now());
    this.recheck = setTimeout(() => void this.check(), wait).unref();
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
    const info = await this.info().catch((error: Error) => {
      if (!error.message.startsWith('NOPERM ')) throw error;
      return undefined;
    });
    if (info === undefined) return { reason: sentence(this.redis, ['+info']), isPassing: true };
    return serverRefusal(info) ?? (await this.furtherCheck?.());
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

  /**
   * Whatever Redis refuses is an operating error, whatever it says: the commands are ours, and the same for every server. Only
   * what says that a command or a script itself is wrong is a defect.
   */
  private translate(error: unknown): Error {
    if (!(error instanceof Error) || error instanceof CacheError) return error as Error;
    if (!isReply(error) && (error instanceof TypeError || error instanceof RangeError)) return error;
    const cause = withoutArguments(error);
    if (!isReply(error)) return new StoreUnavailableError(`Redis did not answer: ${cause.message}`, { cause });
    if (isDefect(error)) return cause;
    const words = wordsOf(error);
    if (error.message.startsWith('READONLY')) this.demoted();
    else if (!OWN_REFUSAL.test(error.message)) this.suspect(words);
    return new StoreUnavailableError(`Redis refused: ${words}`, { cause });
  }

  /** The server has become a replica: what it would serve from here on may be old. */
  private demoted(): void {
    if (this.isClosed || this.refusal === REPLICA) return; // known, and looked at again already
    this.isChecked = false;
    this.refusal = REPLICA;
    this.tellRefusals(REPLICA.reason);
    this.tellOutage();
    void this.check();
  }
}

const REPLICA: Refusal = {
  reason: 'this Redis is a replica: the cache is read from the primary only',
  isPassing: true,
};

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
