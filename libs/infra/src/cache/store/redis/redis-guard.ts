import { Cluster, Redis } from 'ioredis';
import { CacheError, StoreUnavailableError } from '../../cache.errors.js';
import type { RedisConnection } from './scripts.js';

const OLDEST_MAJOR = 7;
/** Commands that may time out in a row before the connection is given up as dead, though its socket is open. */
const TIMEOUTS_MAX = 3;

/**
 * Stands between the store and its connection: nothing is sent while the server is away or unsuitable, every failure to
 * answer becomes a `StoreUnavailableError`, and a server that accepts commands without answering them is disconnected, so
 * that unanswered commands cannot pile up.
 */
export class RedisGuard {
  private unsuitable: CacheError | undefined;
  private timeouts = 0;

  constructor(readonly redis: RedisConnection) {}

  /** Why no command can be sent just now; undefined if one can. */
  get reason(): string | undefined {
    if (this.unsuitable) return this.unsuitable.message;
    return this.redis.status === 'ready' ? undefined : `the connection to Redis is ${this.redis.status}`;
  }

  /** Sends what `command` sends, if the server can be used. */
  async run<T>(command: () => Promise<T>): Promise<T> {
    const reason = this.reason;
    if (reason) throw new StoreUnavailableError(reason);
    try {
      const reply = await command();
      this.timeouts = 0;
      return reply;
    } catch (error) {
      throw this.translate(error);
    }
  }

  /**
   * Connects, and checks that the server may be used; again at every reconnection, because another server may answer then.
   * A server that is away is no reason to fail: reads do without it until it is back.
   */
  async open(): Promise<void> {
    this.redis.on('ready', () => {
      this.check().catch(() => undefined); // a failed check shows in `reason`, a lost connection in the status
    });
    if (this.redis.status === 'wait') await this.redis.connect().catch(() => undefined);
    if (this.redis.status === 'ready') await this.check();
  }

  private async check(): Promise<void> {
    this.timeouts = 0;
    const problem = unsuitability(await this.info());
    this.unsuitable = problem ? new CacheError('CACHE_STORE_UNSUITABLE', problem, false) : undefined;
    if (this.unsuitable) throw this.unsuitable;
  }

  private async info(): Promise<string> {
    const node = this.redis instanceof Cluster ? this.redis.nodes('master')[0] : this.redis;
    if (!node) throw new StoreUnavailableError('no master of the cluster is known');
    return `${await node.info('server')}${await node.info('memory')}`;
  }

  private translate(error: unknown): unknown {
    if (error instanceof CacheError || !(error instanceof Error)) return error;
    if (error.message === 'Command timed out' && ++this.timeouts >= TIMEOUTS_MAX) {
      this.timeouts = 0;
      if (this.redis instanceof Redis) this.redis.disconnect(true);
    }
    const isDefect = error.name === 'ReplyError' && /^(ERR|WRONGTYPE) /.test(error.message);
    return isDefect ? error : new StoreUnavailableError(`Redis did not answer: ${error.message}`, { cause: error });
  }
}

/**
 * What forbids the use of a server with this `INFO`. An `allkeys-*` policy may evict an index, and an index that is gone
 * is silent staleness for ever.
 */
export function unsuitability(info: string): string | undefined {
  const version = /redis_version:(\d+)\.(\S+)/.exec(info);
  if (version && Number(version[1]) < OLDEST_MAJOR) {
    return `Redis ${version[1]}.${version[2]} is too old: the cache needs ${OLDEST_MAJOR}.0 or later`;
  }
  const policy = /maxmemory_policy:(\S+)/.exec(info)?.[1];
  if (policy?.startsWith('allkeys-')) {
    return `Redis runs with maxmemory-policy ${policy}, which may evict the index of the cache: set noeviction or volatile-lru`;
  }
  return undefined;
}
