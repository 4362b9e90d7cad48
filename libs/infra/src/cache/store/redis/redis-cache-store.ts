import { StoreUnavailableError } from '../../cache.errors.js';
import type { Invalidation, KeyStatus } from '../../cache.types.js';
import { entry, type Dependency } from '../../dependencies.js';
import { LEASE_MS } from '../../protocol/limits.js';
import {
  CacheStore,
  type BeginReply,
  type BeginRequest,
  type CommitReply,
  type CommitRequest,
  type InvalidationNotice,
  type LeaseEnd,
  type ManyStoreRead,
  type StaleValue,
  type StoredValue,
  type StoreRead,
  type StoreState,
  type SweepReport,
  type Unsubscribe,
  type WriteRequest,
} from '../../protocol/cache-store.js';
import type { L1Cache } from '../../l1/l1-cache.js';
import { storedValue } from './entries/entry-envelope.js';
import { examinedEntry } from './entries/examined-entry.js';
import { liveKeys, memoryUsage } from './entries/key-directory.js';
import { OrphanLeases } from './entries/orphan-leases.js';
import type { ReadBatch } from './entries/read-batch.js';
import type { AcknowledgedInvalidations, InvalidationCall } from './invalidation/acknowledged-invalidations.js';
import type { Gate, Partition, Partitions } from './partition/partition.js';
import type { PartitionScripts } from './partition/partition-scripts.js';
import { UnknownReplyError, type ScriptArgument } from './partition/scripts.js';
import {
  resolveRedisCacheStoreOptions,
  type RedisCacheStoreOptions,
  type ResolvedRedisCacheStoreOptions,
} from './redis-cache-store.options.js';
import { composeRedisStore, type RedisStoreParts } from './redis-store-parts.js';

const FAILURE_TEXT_MAX = 500;
const SWEEP_BATCH = 200;
/**
 * How long the lease behind a failed commit may last: the limit of all leases, because its own length is unknown here.
 */
const [, ORPHAN_MS] = LEASE_MS;

/** The protocol on Redis: its steps are atomic scripts, each in one partition's slot; a hit normally is one command. */
export class RedisCacheStore extends CacheStore {
  override readonly l1: L1Cache | undefined;
  private readonly options: ResolvedRedisCacheStoreOptions;
  private readonly parts: RedisStoreParts;
  private readonly partitions: Partitions;
  private readonly reads: readonly ReadBatch[];
  private readonly scripts: PartitionScripts;
  private readonly invalidations: AcknowledgedInvalidations;
  private readonly orphans = new OrphanLeases((end) => this.endLease(end));
  private isClosed = false;

  constructor(options: RedisCacheStoreOptions) {
    super();
    this.options = resolveRedisCacheStoreOptions(options);
    this.parts = composeRedisStore(this.options);
    this.partitions = this.parts.partitions;
    this.reads = this.parts.reads;
    this.scripts = this.parts.scripts;
    this.invalidations = this.parts.invalidations;
    this.l1 = this.invalidations.l1?.cache;
  }

  async open(): Promise<void> {
    const { guard, bus, vouch, histories, permissions, examine } = this.parts;
    const [opened] = await Promise.allSettled([guard.open(examine), bus.open(), vouch.open()]);
    if (opened.status === 'rejected') throw opened.reason;
    if (this.isClosed) return;
    if (this.invalidations.l1) this.invalidations.l1.start();
    else histories.watch();
    permissions.start();
  }

  /** Ends the subscriptions and timers. The command connection stays open: it belongs to its creator. */
  async close(): Promise<void> {
    const { guard, bus, vouch, histories, permissions } = this.parts;
    this.isClosed = true;
    this.invalidations.close();
    this.orphans.close();
    await this.invalidations.l1?.close();
    bus.close();
    histories.close();
    permissions.close();
    vouch.close();
    guard.close();
  }

  read(key: string): Promise<StoredValue | undefined> {
    return this.requestRead(key).reply;
  }

  override requestRead(key: string): StoreRead {
    return (this.reads[this.partitions.of(key).index] as ReadBatch).request(key);
  }

  override requestMany(keys: readonly string[]): readonly ManyStoreRead[] {
    const byPartition = new Map<number, string[]>();
    for (const key of keys) {
      const { index } = this.partitions.of(key);
      const those = byPartition.get(index);
      if (those) those.push(key);
      else byPartition.set(index, [key]);
    }
    return [...byPartition].flatMap(([index, those]) => (this.reads[index] as ReadBatch).requestMany(those));
  }

  async begin({ key, leaseId, leaseMs, known, refresh }: BeginRequest): Promise<BeginReply> {
    const partition = this.partitions.of(key);
    const args = [key, leaseId, leaseMs, refresh ? '1' : '0', ...known];
    const reply = this.scripts
      .run('begin', partition, args)
      .catch((error: unknown) => this.orphan(error, key, leaseId, leaseMs));
    const [code, gate, detail, more] = await reply;
    switch (code) {
      case 'FRESH':
        return { kind: 'fresh', value: storedValue(detail as Buffer) };
      case 'WAIT':
        return { kind: 'wait', leaseId: String(detail), expiresInMs: Math.max(0, Number(more)) };
      case 'LEASE': {
        const { clock, tip, born } = partition.gateOf(gate as Buffer) as Gate;
        return { kind: 'lease', start: { clock, tip, at: Number(String(detail)), build: Number(more), history: born } };
      }
      default:
        throw new UnknownReplyError('begin', code);
    }
  }

  async commit(request: CommitRequest): Promise<CommitReply> {
    const { key, leaseId, start, dependencies, ttlMs, value, supersedes } = request;
    const partition = this.partitions.of(key);
    const generation = this.l1?.generation(key) ?? 0;
    const sent = supersedes ? this.commitAnnounced(request, partition) : this.commitPlain(request, partition);
    const { outcome, gate } = await sent.catch((error: unknown) => this.orphan(error, key, leaseId, ORPHAN_MS));
    if (outcome === 'ok') {
      const { build = 0, at } = start;
      const expiresAt = ttlMs === undefined ? 0 : at + ttlMs;
      this.invalidations.l1?.keepValue(
        key,
        generation,
        { clock: gate.clock, tip: gate.tip, build, dependencies, expiresAt },
        value,
      );
    }
    return outcome;
  }

  private async commitPlain(request: CommitRequest, partition: Partition): Promise<Committed> {
    const [code, gate] = await this.scripts.run('commit', partition, this.commitArguments(request));
    return committed(code, partition.gateOf(gate as Buffer) as Gate);
  }

  /** Commits; if the store announces the value, waits for L1s as an invalidation of the entry does. */
  private commitAnnounced(request: CommitRequest, partition: Partition): Promise<Committed> {
    return this.invalidations.settled(partition, [entry(request.key)], async (call) => {
      const args = this.commitArguments(request, call);
      const [code, gate, ...audience] = await this.scripts.run('commit', partition, args);
      return { gate, audience, result: committed(code, partition.gateOf(gate as Buffer) as Gate) };
    });
  }

  private commitArguments(request: CommitRequest, call?: InvalidationCall): ScriptArgument[] {
    const { key, leaseId, start, value, dependencies, ttlMs, staleMs = 0 } = request;
    const { clock, tip, at, build = 0, history = 0 } = start;
    const point = [key, leaseId, clock, tip, at, build, history];
    const stored = [ttlMs ?? -1, this.options.retentionMs, value.codec, this.embed, staleMs, this.options.windowMax];
    const isForced = request.supersedes === 'always' ? '1' : '0';
    const announced = [call?.tip ?? '', call?.requester ?? '', call?.membershipVersion ?? '', isForced];
    return [...point, ...stored, ...announced, value.bytes, ...dependencies];
  }

  async renew(key: string, leaseId: string, leaseMs: number): Promise<boolean> {
    return (await this.scripts.runNumber('renew', this.partitions.of(key), [key, leaseId, leaseMs])) === 1;
  }

  async release(end: LeaseEnd): Promise<void> {
    await this.endLease(end);
  }

  private async endLease({ key, leaseId, failure }: LeaseEnd): Promise<boolean> {
    const text = (part: string | undefined) => (part ?? '').replaceAll('\0', ' ').slice(0, FAILURE_TEXT_MAX);
    const outcome = failure ? ['F', text(failure.code), text(failure.message)] : ['', '', ''];
    return (await this.scripts.runNumber('release', this.partitions.of(key), [key, leaseId, ...outcome])) === 1;
  }

  write({ key, value, dependencies, ttlMs, leaseId = '' }: WriteRequest): Promise<boolean> {
    const px = Math.max(1, Math.min(ttlMs ?? this.options.retentionMs, this.options.retentionMs));
    const partition = this.partitions.of(key);
    const hasTtl = ttlMs === undefined ? '0' : '1';
    return this.invalidations.settled(partition, [entry(key)], async ({ tip, requester, membershipVersion }) => {
      const head = [
        key,
        tip,
        px,
        value.codec,
        this.options.windowMax,
        requester,
        membershipVersion,
        hasTtl,
        this.embed,
      ];
      const args = [...head, leaseId, value.bytes, ...dependencies];
      const [code, gate, ...audience] = await this.scripts.run('write', partition, args);
      return { gate, audience, result: code === 'OK' };
    });
  }

  settle(key: string): Promise<void> {
    return this.invalidations.settle(this.partitions.of(key));
  }

  invalidate(dependencies: readonly Dependency[]): Promise<Invalidation> {
    return this.invalidations.invalidate(dependencies);
  }

  async extend(key: string, ttlMs: number, absoluteMs: number | undefined): Promise<boolean> {
    const args = [key, Math.ceil(ttlMs), Math.floor(absoluteMs ?? -1)];
    return (await this.scripts.runNumber('extend', this.partitions.of(key), args)) === 1;
  }

  async readStale(key: string): Promise<StaleValue | undefined> {
    const reply = await this.scripts.run('stale', this.partitions.of(key), [key]);
    const [code, , staleForMs, codec, bytes] = reply;
    if (code === 'NONE') return undefined;
    if (code !== 'STALE') throw new UnknownReplyError('stale', code);
    return { value: { codec: Number(codec), bytes: bytes as Buffer }, staleForMs: Number(String(staleForMs)) };
  }

  async status(key: string): Promise<{ status: KeyStatus; leaseId?: string; expiresInMs?: number }> {
    const [code, , leaseId, pttl] = await this.scripts.run('peek', this.partitions.of(key), [key]);
    if (code === 'FRESH') return { status: 'exists' };
    if (code === 'EMPTY') return { status: 'empty' };
    if (code !== 'PENDING') throw new UnknownReplyError('peek', code);
    return { status: 'pending', leaseId: String(leaseId), expiresInMs: Math.max(0, Number(pttl)) };
  }

  async *keys(): AsyncIterable<string[]> {
    for (const partition of this.partitions.all)
      yield* liveKeys(this.parts.guard, partition, (key) => examinedEntry(this.scripts, partition, key));
  }

  memoryUsage(keys: readonly string[]): Promise<number> {
    return memoryUsage(this.parts.guard, this.partitions, keys);
  }

  async sweep(): Promise<SweepReport> {
    let freed = 0;
    let more = false;
    let failure: PromiseRejectedResult | undefined;
    for (const partition of this.partitions.all) {
      const [outcome] = await Promise.allSettled([
        this.scripts.run('sweep', partition, [
          SWEEP_BATCH,
          this.options.windowMax,
          this.invalidations.births.matureBirth(partition) ?? '',
        ]),
      ]);
      if (outcome.status === 'fulfilled') {
        freed += Number(outcome.value[0]);
        more ||= Number(outcome.value[1]) === 1;
        const { born } = partition.gateOf(outcome.value[2] as Buffer) as Gate;
        this.invalidations.births.learnBirth(partition, born);
      } else failure = outcome; // one partition's master may be away: sweep the others all the same
    }
    if (failure) throw failure.reason;
    return { freed, more };
  }

  onLeaseEnd(listener: (end: LeaseEnd) => void): Unsubscribe {
    return this.parts.bus.onLeaseEnd(listener);
  }

  onInvalidation(listener: (notice: InvalidationNotice) => void): Unsubscribe {
    return this.parts.bus.onInvalidation(listener);
  }

  onDropped(listener: (keys: readonly string[]) => void): Unsubscribe {
    return this.parts.bus.onDropped(listener);
  }

  override onOutage(listener: () => void): Unsubscribe {
    return this.parts.guard.onOutage(listener);
  }

  state(): StoreState {
    const { guard, vouch } = this.parts;
    const reason = guard.reason ?? this.partitions.all.find((partition) => partition.reason)?.reason ?? vouch.reason;
    const { owedInvalidations } = this.invalidations;
    const l1 = this.invalidations.l1 && { l1: this.invalidations.l1.state() };
    if (reason === undefined) return { kind: 'redis', status: 'up', ...l1 };
    return { kind: 'redis', status: 'down', reason, ...(owedInvalidations > 0 && { owedInvalidations }), ...l1 };
  }

  /** Whether entries embed their dependencies in the replies of hits: only an L1 needs them. */
  private get embed(): '0' | '1' {
    return this.options.l1 ? '1' : '0';
  }

  /** Releases a lease that a request without a known answer may have granted or kept; rethrows the error. */
  private orphan(error: unknown, key: string, leaseId: string, leaseMs: number): never {
    if (error instanceof StoreUnavailableError) this.orphans.add(key, leaseId, leaseMs);
    throw error;
  }
}

interface Committed {
  readonly outcome: CommitReply;
  readonly gate: Gate;
}

function committed(code: string, gate: Gate): Committed {
  const outcome = COMMIT_REPLIES[code];
  if (!outcome) throw new UnknownReplyError('commit', code);
  return { outcome, gate };
}

const COMMIT_REPLIES: Readonly<Record<string, CommitReply>> = {
  OK: 'ok',
  STALE: 'stale',
  LOST: 'lost',
  FENCED: 'fenced',
  EXPIRED: 'expired',
};
