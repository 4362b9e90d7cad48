import { Cluster } from 'ioredis';
import { commandTimeoutOf } from '../../../../redis/redis-client.js';
import { Refusals } from '../../../../redis/refusals.js';
import { failureOf, isMomentary, isReply, wordsOf } from '../../../../redis/refused-reply.js';
import { FULL_TRUST } from '../../../../redis/trust.js';
import { CacheError, StoreUnavailableError } from '../../../cache.errors.js';
import { ReadBreaker, ReplyDeadline } from './reply-deadline.js';
import type { RedisConnection } from '../partition/scripts.js';
import { REPLICA, serverRefusalOf, type Refusal } from './server-refusal.js';

/** How long `open` waits for a server not connected yet; after that reads work without it until it is there. */
const OPEN_MS = 1000;
/** How long after an examination a server that is not in use, or is under suspicion, is examined again. */
const RECHECK_MS = 250;
/** How often the settings of a server in use are looked at: an `INFO` for each server, which costs it next to nothing. */
const LOOK_AGAIN_MS = 30_000;
/** The fraction of a command's timeout after which `ask` gives up: 75 ms by default (docs/decisions/0005). */
const ASKING_PART = 3 / 8;
/** Minimum of that wait, for short timeouts. */
const ASKING_MS_MIN = 10;
/** How long health shows a refusal that the examination does not explain, after its last occurrence. */
const REFUSED_SHOWN_MS = 2000;

/** Refusals by our own scripts, because the partition must be looked at first (`use` in `_partition.lua`). */
const OWN_REFUSAL = /^(SLOTOPEN|NOHISTORY) /;

/** A further check of a server at every connection; resolves to undefined if the server may be used. */
export type ServerCheck = () => Promise<Refusal | undefined>;

type Listener = () => void;

/**
 * Stands between the store and its connection: sends nothing while the server is away or must not be used, and turns
 * every failure to answer into a `StoreUnavailableError`.
 *
 * There are two ways through. Commands that inform the store (an invalidation, a beat, the end of a lease), sweep it,
 * or list or measure its keys use `run`: it tries them whenever the connected server may be used, even if it hangs, for
 * the whole timeout of a command. Reads, and scripts whose answer a caller believes, use `ask`: it gives up after three
 * eighths of that time, and sends nothing while the server hangs.
 */
export class RedisGuard {
  private refusal: Refusal | undefined;
  /** Whether the server now connected was examined and may be used. */
  private isChecked = false;
  /** Why the last examination of the server was not completed; undefined if it was. */
  private unexamined: string | undefined;
  private recheck: NodeJS.Timeout | undefined;
  /** The words in which a usable server refused a command, if that is why the next examination is due. */
  private suspicion: string | undefined;
  private looking: NodeJS.Timeout | undefined;
  private forgetting: NodeJS.Timeout | undefined;
  private checkedAt = -Infinity;
  /** Number of checks begun: only the newest counts, because an older one may have asked the previous server. */
  private checks = 0;
  /** Lets `open` continue. */
  private answered: Listener | undefined;
  private isClosed = false;
  private readonly asking: ReplyDeadline;
  private readonly breaker: ReadBreaker;
  private readonly usableListeners = new Set<Listener>();
  private readonly outageListeners = new Set<Listener>();
  private furtherCheck: ServerCheck | undefined;

  constructor(
    readonly redis: RedisConnection,
    /** @default 30 s */
    private readonly lookAgainMs = LOOK_AGAIN_MS,
  ) {
    this.breaker = new ReadBreaker(
      () => this.asking.within(redis.ping(), (reply) => reply, this.translated),
      () => this.hangs(),
    );
    const askingMs = Math.max(ASKING_MS_MIN, commandTimeoutOf(redis) * ASKING_PART);
    this.asking = new ReplyDeadline(askingMs, this.breaker);
  }

  /** Why nothing can be asked now; undefined if it can. */
  get reason(): string | undefined {
    return this.commandReason ?? this.breaker.reason;
  }

  /** Why no command at all can be sent; undefined if one can. */
  private get commandReason(): string | undefined {
    if (this.isClosed) return 'the store is closed'; // a closed guard does not learn of a new server
    if (this.refusal) return this.refusal.reason;
    if (this.redis.status !== 'ready') return `the connection to Redis is ${this.redis.status}`;
    if (this.isChecked) return undefined;
    return this.unexamined ?? 'the connection to Redis is new: it is looked at before it is used';
  }

  /**
   * Runs `command` if the server can be used; rejects with `StoreUnavailableError` otherwise, or if the server refuses
   * the command or does not answer.
   */
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
   * Like `run`, for an answer that a caller awaits: rejects with `OverdueReplyError` after three eighths of the
   * timeout, and at once while the server hangs. Resolves with the result of `use` on the reply. An untrusted primary
   * is neither asked nor believed.
   */
  ask<T, R>(command: () => Promise<T>, use: (reply: T) => R | Promise<R>, trust = FULL_TRUST): Promise<R> {
    // Not an async function, to save a promise in every hit.
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

  /** Calls back when the store, or one partition of it, cannot be asked any more, perhaps more than once. */
  onOutage(listener: Listener): () => void {
    this.outageListeners.add(listener);
    return () => this.outageListeners.delete(listener);
  }

  /**
   * Calls the outage listeners. Other classes call it when pending answers of a partition or a primary may be
   * worthless.
   */
  tellOutage(): void {
    for (const listener of this.outageListeners) listener();
  }

  /**
   * Connects, and checks that the server may be used; checks again at every reconnection, because another server may
   * answer. Rejects only for a refusal that does not pass (`isPassing`), not for a server that is away or slow.
   */
  async open(furtherCheck?: ServerCheck): Promise<void> {
    if (this.isClosed) return;
    this.furtherCheck = furtherCheck;
    this.redis.on('close', this.onConnectionClose);
    this.redis.on('ready', this.onConnectionReady);
    this.looking ??= setInterval(() => void this.lookAgain(), this.lookAgainMs).unref();
    if (this.redis.status === 'wait') this.redis.connect().catch(() => undefined); // its status shows a failure
    if (this.redis.status === 'ready') await this.check();
    else await this.firstAnswer();
    if (this.refusal && !this.refusal.isPassing)
      throw new CacheError('CACHE_STORE_UNSUITABLE', this.refusal.reason, false);
  }

  /** Sends nothing any more. The connection, which may live on, keeps no listener of the guard. */
  close(): void {
    this.isClosed = true;
    this.redis.off('close', this.onConnectionClose);
    this.redis.off('ready', this.onConnectionReady);
    clearTimeout(this.recheck);
    clearInterval(this.looking);
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

  /** Resolves when the server has been checked, the connection has failed, the guard is closed, or after `OPEN_MS`. */
  private async firstAnswer(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      timer = setTimeout(resolve, OPEN_MS);
      this.answered = resolve;
    });
    clearTimeout(timer);
  }

  /** Checks whether the server may be used. Never rejects; the check is repeated unless the server is then in use. */
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
      // The connection was lost, or the server is slow, or refuses the examination: a new server is not used until it
      // has been examined. A server already in use stays in use if it was only slow, or in a state that passes.
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

  /** Tells health and the log why the server is not used, or what a server in use has refused. */
  private tellRefusals(reason: string | undefined, command?: string): void {
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
   * A server in use has refused a command. A refusal that passes is reported as it is; for any other the server is
   * examined again, because the examination knows the remedy. Until then the server stays in use: perhaps only that
   * command is refused.
   */
  suspect(words: string): void {
    if (this.isClosed || !this.isChecked) return; // not in use: a check follows anyway
    if (isMomentary(words)) return this.tellRefusals(undefined, words);
    const isKnown = this.suspicion !== undefined;
    this.suspicion = words;
    if (isKnown) return; // an examination is due
    clearTimeout(this.recheck);
    const wait = Math.max(0, this.checkedAt + RECHECK_MS - performance.now());
    this.recheck = setTimeout(() => void this.check(), wait).unref();
  }

  /**
   * Repeats the check of a server that is not used. If the connection is away, its return causes the next check. The
   * client of a Cluster looks for the masters anew, because it holds a replica for one of them: as long as nothing is
   * sent, no server corrects it.
   */
  private checkLater(): void {
    clearTimeout(this.recheck);
    if (this.refusal === REPLICA && this.redis instanceof Cluster) this.redis.refreshSlotsCache();
    this.recheck = setTimeout(() => {
      if (this.redis.status === 'ready') void this.check();
    }, RECHECK_MS).unref();
  }

  private async examine(): Promise<Refusal | undefined> {
    return (await serverRefusalOf(this.redis)) ?? (await this.furtherCheck?.());
  }

  /** Looks whether the settings of a server in use still allow its use; an operator may change them at any time. */
  private async lookAgain(): Promise<void> {
    if (!this.isChecked || this.redis.status !== 'ready') return;
    const refusal = await serverRefusalOf(this.redis).catch(() => undefined); // away or slow: the connection knows
    if (refusal === undefined || !this.isChecked || this.isClosed) return;
    if (refusal === REPLICA || !refusal.isPassing) this.refuse(refusal); // without INFO nothing is known, and it works
  }

  private readonly translated = (error: unknown): Error => this.translate(error);

  private hangs(): void {
    this.asking.giveUpAll();
    this.tellOutage();
  }

  private translate(error: unknown): Error {
    if (error instanceof CacheError) return error;
    const failure = failureOf(error);
    if (failure.kind === 'defect') return failure.error;
    if (failure.kind === 'refused') {
      if (failure.words.startsWith('READONLY')) this.demoted();
      else if (!OWN_REFUSAL.test(failure.words)) this.suspect(failure.words);
    }
    return new StoreUnavailableError(failure.message, { cause: failure.cause });
  }

  /** The server has become a replica: its answers may be old from now on. */
  private demoted(): void {
    if (this.isClosed || this.refusal === REPLICA) return; // known, and being checked again
    this.refuse(REPLICA);
  }

  /** Uses the server no more, until a check finds that it may be used. */
  private refuse(refusal: Refusal): void {
    this.isChecked = false;
    this.refusal = refusal;
    this.tellRefusals(refusal.reason);
    this.tellOutage();
    void this.check();
  }
}
