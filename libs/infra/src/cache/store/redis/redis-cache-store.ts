import { randomBytes } from 'node:crypto';
import { CacheError, StoreUnavailableError } from '../../cache.errors.js';
import type { Invalidation, KeyStatus } from '../../cache.types.js';
import { entryKey, type Dependency } from '../../dependencies.js';
import {
  CacheStore,
  type BeginReply,
  type BeginRequest,
  type CommitReply,
  type CommitRequest,
  type InvalidationNotice,
  type LeaseEnd,
  type StoredValue,
  type StoreState,
  type SweepReport,
  type Unsubscribe,
  type WriteRequest,
} from '../cache-store.js';
import { storedValue } from './entry-envelope.js';
import { liveKeys, memoryUsage } from './key-directory.js';
import { type Gate, type Partition, Partitions } from './partition.js';
import { ReadBatch } from './read-batch.js';
import { RedisBus } from './redis-bus.js';
import { OrphanLeases } from './orphan-leases.js';
import { RedisGuard, type Refusal } from './redis-guard.js';
import {
  defineScripts,
  runScript,
  UnknownReplyError,
  type RedisConnection,
  type ScriptArgument,
  type ScriptName,
} from './scripts.js';

export interface RedisCacheStoreOptions {
  /** The connection for commands. It must not queue while offline, or reads wait for a server that is away. */
  readonly redis: RedisConnection;
  /** Prefixes every key. */
  readonly appName: string;
  /** Slices of the key space; the same in every process. @default 1 */
  readonly partitions?: number;
  /** How long an entry without a TTL is kept, in milliseconds. @default 30 days */
  readonly retentionMs?: number;
  /** Invalidated dependencies that a partition remembers, to judge fills that began before. @default 10000 */
  readonly windowMax?: number;
  /** Dependants that an invalidation removes at once; more are left to the sweeper. @default 1000 */
  readonly inlineMax?: number;
}

const RETENTION_MS = 30 * 24 * 3600 * 1000;
/** Dependencies in one script: bounds its time. An invalidation of more goes out in several, all awaited. */
const DEPENDENCIES_PER_CALL = 500;
const KEYS_REPORTED_MAX = 1000;
const FAILURE_TEXT_MAX = 500;
const SWEEP_BATCH = 200;
/** The lease behind a failed commit lasts at most so long; its own length is not known here. */
const ORPHAN_MS = 10_000;

/** The protocol on Redis: one atomic script for each step, one slot for each partition, one command for a hit. */
export class RedisCacheStore extends CacheStore {
  private readonly guard: RedisGuard;
  private readonly partitions: Partitions;
  private readonly reads = new Map<Partition, ReadBatch>();
  private readonly bus: RedisBus;
  private readonly orphans: OrphanLeases;
  private readonly retentionMs: number;
  private readonly windowMax: number;
  private readonly inlineMax: number;

  constructor(private readonly options: RedisCacheStoreOptions) {
    super();
    this.retentionMs = options.retentionMs ?? RETENTION_MS;
    this.windowMax = options.windowMax ?? 10_000;
    this.inlineMax = options.inlineMax ?? 1000;
    if (options.redis.options.keyPrefix) {
      const advice = 'the connection must have no keyPrefix, which scripts do not see: use appName';
      throw new CacheError('CACHE_INVALID_OPTION', advice, false);
    }
    this.partitions = new Partitions(options.appName, options.partitions ?? 1);
    this.guard = new RedisGuard(options.redis, () => this.examineServer());
    this.orphans = new OrphanLeases(this.guard, (end) => this.release(end));
    for (const partition of this.partitions.all) {
      this.reads.set(partition, new ReadBatch(this.guard, partition, (key) => this.peek(partition, key)));
    }
    this.bus = new RedisBus(options.redis, this.partitions);
    defineScripts(options.redis);
  }

  async open(): Promise<void> {
    const [opened] = await Promise.allSettled([this.guard.open(), this.bus.open()]);
    if (opened.status === 'rejected') throw opened.reason;
  }

  /** Ends the subscriptions. The command connection belongs to whoever made it. */
  close(): Promise<void> {
    this.bus.close();
    this.guard.close();
    return Promise.resolve();
  }

  read(key: string): Promise<StoredValue | undefined> {
    return (this.reads.get(this.partitions.of(key)) as ReadBatch).read(key);
  }

  async begin({ key, leaseId, leaseMs, known }: BeginRequest): Promise<BeginReply> {
    const partition = this.partitions.of(key);
    const args = [key, leaseId, leaseMs, nonce(), ...known];
    const reply = this.run('begin', partition, args).catch((error: unknown) =>
      this.orphan(error, key, leaseId, leaseMs),
    );
    const [code, gate, detail, pttl] = await reply;
    switch (code) {
      case 'FRESH':
        return { kind: 'fresh', value: storedValue(detail as Buffer) };
      case 'WAIT':
        return { kind: 'wait', leaseId: String(detail), expiresInMs: Math.max(0, Number(pttl)) };
      case 'LEASE': {
        const { clock, tip } = partition.gateOf(gate as Buffer) as Gate;
        return { kind: 'lease', start: { clock, tip, at: Number(String(detail)) } };
      }
      default:
        throw new UnknownReplyError('begin', code);
    }
  }

  async commit({ key, leaseId, start, value, dependencies, ttlMs }: CommitRequest): Promise<CommitReply> {
    const reply = this.run('commit', this.partitions.of(key), [
      key,
      leaseId,
      start.clock,
      start.tip,
      start.at,
      ttlMs ?? -1,
      this.retentionMs,
      value.codec,
      nonce(),
      value.bytes,
      ...dependencies,
    ]).catch((error: unknown) => this.orphan(error, key, leaseId, ORPHAN_MS));
    const [code] = await reply;
    const outcome = COMMIT_REPLIES[code];
    if (!outcome) throw new UnknownReplyError('commit', code);
    return outcome;
  }

  async renew(key: string, leaseId: string, leaseMs: number): Promise<boolean> {
    return (await this.runNumber('renew', this.partitions.of(key), [key, leaseId, leaseMs])) === 1;
  }

  async release({ key, leaseId, failure }: LeaseEnd): Promise<void> {
    const text = (part: string | undefined) => (part ?? '').replaceAll('\0', ' ').slice(0, FAILURE_TEXT_MAX);
    const outcome = failure ? ['F', text(failure.code), text(failure.message)] : ['', '', ''];
    await this.runNumber('release', this.partitions.of(key), [key, leaseId, ...outcome]);
  }

  async write({ key, value, dependencies, ttlMs }: WriteRequest): Promise<void> {
    const px = Math.max(1, Math.min(ttlMs ?? this.retentionMs, this.retentionMs));
    const args = [key, nonce(), px, value.codec, this.windowMax, value.bytes, ...dependencies];
    await this.run('write', this.partitions.of(key), args);
  }

  async invalidate(dependencies: readonly Dependency[]): Promise<Invalidation> {
    const calls = this.partitions.all.flatMap((partition) => {
      const own = dependencies.filter((d) => this.concerns(d, partition));
      return chunks(own, DEPENDENCIES_PER_CALL).map((chunk) =>
        this.run('invalidate', partition, [nonce(), this.inlineMax, this.windowMax, ...chunk]),
      );
    });
    const outcomes = await Promise.allSettled(calls); // all settle first: when this rejects, none of it is still under way
    let dropped = 0;
    let deferred = 0;
    const keys: string[] = [];
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') throw outcome.reason;
      const [, , droppedHere, deferredHere, ...ids] = outcome.value;
      dropped += Number(droppedHere);
      deferred += Number(deferredHere);
      for (const id of ids) if (keys.length < KEYS_REPORTED_MAX) keys.push(String(id));
    }
    return { dropped, keys, deferred };
  }

  async status(key: string): Promise<{ status: KeyStatus; leaseId?: string; expiresInMs?: number }> {
    const [code, , leaseId, pttl] = await this.run('peek', this.partitions.of(key), [key, nonce()]);
    if (code === 'FRESH') return { status: 'exists' };
    if (code === 'EMPTY') return { status: 'empty' };
    return { status: 'pending', leaseId: String(leaseId), expiresInMs: Math.max(0, Number(pttl)) };
  }

  async *keys(): AsyncIterable<string[]> {
    for (const partition of this.partitions.all)
      yield* liveKeys(this.guard, partition, (key) => this.peek(partition, key));
  }

  memoryUsage(keys: readonly string[]): Promise<number> {
    return memoryUsage(this.guard, this.partitions, keys);
  }

  async sweep(): Promise<SweepReport> {
    let freed = 0;
    let more = false;
    let failure: PromiseRejectedResult | undefined;
    for (const partition of this.partitions.all) {
      const [outcome] = await Promise.allSettled([
        this.run('sweep', partition, [SWEEP_BATCH, this.windowMax, nonce()]),
      ]);
      if (outcome.status === 'fulfilled') {
        freed += Number(outcome.value[0]);
        more ||= Number(outcome.value[1]) === 1;
      } else failure = outcome; // one partition's master may be away: the others are swept all the same
    }
    if (failure) throw failure.reason;
    return { freed, more };
  }

  onLeaseEnd(listener: (end: LeaseEnd) => void): Unsubscribe {
    return this.bus.onLeaseEnd(listener);
  }

  onInvalidation(listener: (notice: InvalidationNotice) => void): Unsubscribe {
    return this.bus.onInvalidation(listener);
  }

  state(): StoreState {
    const reason = this.guard.reason;
    return reason ? { kind: 'redis', status: 'down', reason } : { kind: 'redis', status: 'up' };
  }

  /** A lease that may have been granted, or kept, by a request whose answer is not known. */
  private orphan(error: unknown, key: string, leaseId: string, leaseMs: number): never {
    if (error instanceof StoreUnavailableError) this.orphans.add(key, leaseId, leaseMs);
    throw error;
  }

  /** Before a server is used: do all agree on the layout, and does what it holds belong to its own history? */
  private async examineServer(): Promise<Refusal | undefined> {
    const refusal = await this.layoutRefusal();
    if (refusal) return refusal;
    const { redis } = this.options;
    await Promise.all(this.partitions.all.map((p) => runScript(redis, 'adopt', p.gateKey, [p.tag, nonce()])));
    return undefined;
  }

  /** Processes that disagree about the number of partitions would look for the same entry in different places. */
  private async layoutRefusal(): Promise<Refusal | undefined> {
    const { redis, appName } = this.options;
    const own = String(this.partitions.all.length);
    await redis.setnx(`{${appName}.layout}`, own);
    const agreed = await redis.get(`{${appName}.layout}`);
    if (agreed === own) return undefined;
    const reason =
      `${appName} has ${agreed} partitions in this Redis, and this process is configured for ${own}: use the same number ` +
      `everywhere, or another appName; when no process runs any more, delete {${appName}.layout}`;
    return { reason, isPassing: false };
  }

  private async peek(partition: Partition, key: string): Promise<StoredValue | undefined> {
    const [code, , envelope] = await this.run('peek', partition, [key, nonce()]);
    return code === 'FRESH' ? storedValue(envelope as Buffer) : undefined;
  }

  private concerns(d: Dependency, partition: Partition): boolean {
    const key = entryKey(d);
    return key === undefined || this.partitions.of(key) === partition;
  }

  private async run(
    name: ScriptName,
    partition: Partition,
    args: readonly ScriptArgument[],
  ): Promise<[string, ...unknown[]]> {
    const reply = await this.guard.run(() =>
      runScript(this.options.redis, name, partition.gateKey, [partition.tag, ...args]),
    );
    if (!Array.isArray(reply)) throw new UnknownReplyError(name, reply);
    const [code, ...rest] = reply as unknown[];
    return [String(code), ...rest];
  }

  private async runNumber(name: ScriptName, partition: Partition, args: readonly ScriptArgument[]): Promise<number> {
    return Number(
      await this.guard.run(() => runScript(this.options.redis, name, partition.gateKey, [partition.tag, ...args])),
    );
  }
}

const COMMIT_REPLIES: Readonly<Record<string, CommitReply>> = {
  OK: 'ok',
  STALE: 'stale',
  LOST: 'lost',
  FENCED: 'fenced',
  EXPIRED: 'expired',
};

/** 64 random bits: names an invalidation, so that no two histories of a partition can be taken for one another. */
function nonce(): string {
  return randomBytes(8).toString('hex');
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  const result: T[][] = [];
  for (let i = 0; i < items.length; i += size) result.push(items.slice(i, i + size));
  return result;
}
