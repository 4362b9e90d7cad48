import { StoreUnavailableError } from '../../cache.errors.js';
import type { Invalidation, KeyStatus } from '../../cache.types.js';
import { entry, entryKey, type Dependency } from '../../dependencies.js';
import {
  CacheStore,
  type BeginReply,
  type BeginRequest,
  type CommitReply,
  type CommitRequest,
  type InvalidationNotice,
  type LeaseEnd,
  type StaleValue,
  type StartPoint,
  type StoredValue,
  type StoreState,
  type SweepReport,
  type Unsubscribe,
  type WriteRequest,
} from '../../protocol/cache-store.js';
import { InvalidationWindow } from './invalidation-window.js';
import { ListenerSet } from './listener-set.js';
import {
  resolveMemoryCacheStoreOptions,
  type MemoryCacheStoreOptions,
  type ResolvedMemoryCacheStoreOptions,
} from './memory-cache-store.options.js';
import { MemoryEntries } from './memory-entries.js';
import { MemoryLeases } from './memory-leases.js';
import { MemoryStaleCopies } from './memory-stale-copies.js';

/** Maximum keys that an `Invalidation` names. */
const KEYS_REPORTED_MAX = 1_000;
/** Maximum entries, and maximum leases, that one `sweep` frees: some 1 ms of work. */
const SWEEP_MAX = 1_000;
const KEYS_PAGE = 500;
/**
 * Maximum bytes of all stale copies, as a fraction of `maxBytes`; they take these in addition to the entries. While an
 * entry lives, its copy shares the bytes of its value.
 */
const STALE_SHARE = 0.25;

/**
 * The coherence protocol in one process, with one partition: the embedded default. It keeps every promise of the port
 * for the callers of this object, and shares nothing with other processes. Each operation runs to its end before
 * another begins, like a Lua script in Redis. A value that is read is the store's own copy: do not write to it.
 */
export class MemoryCacheStore extends CacheStore {
  private readonly options: ResolvedMemoryCacheStoreOptions;
  private readonly window: InvalidationWindow;
  private readonly entries: MemoryEntries;
  private readonly leases: MemoryLeases;
  private readonly leaseEnds: ListenerSet<LeaseEnd>;
  private readonly staleCopies: MemoryStaleCopies;
  private readonly invalidations: ListenerSet<InvalidationNotice>;
  private readonly drops: ListenerSet<readonly string[]>;
  private isClosed = false;

  constructor(options: MemoryCacheStoreOptions = {}) {
    super();
    this.options = resolveMemoryCacheStoreOptions(options);
    this.window = new InvalidationWindow(this.options.windowMax);
    this.entries = new MemoryEntries(this.options.maxBytes, this.options.clock);
    this.leases = new MemoryLeases(this.options.clock);
    this.leaseEnds = new ListenerSet(this.options.onListenerError);
    this.staleCopies = new MemoryStaleCopies(Math.ceil(this.options.maxBytes * STALE_SHARE), this.options.clock);
    this.invalidations = new ListenerSet(this.options.onListenerError);
    this.drops = new ListenerSet(this.options.onListenerError);
  }

  /**
   * The number of dependencies with dependants, queued expiries of entries, and leases, expired ones included until
   * they are freed. 0 when nothing is stored, built or locked.
   */
  get indexCount(): number {
    return this.entries.indexCount + this.leases.count;
  }

  async open(): Promise<void> {
    this.use();
  }

  /** Frees everything. Later reads and changes reject with `CACHE_STORE_UNAVAILABLE`. */
  async close(): Promise<void> {
    this.isClosed = true;
    this.entries.clear();
    this.leases.clear();
    this.staleCopies.clear();
    this.drops.clear();
    this.leaseEnds.clear();
    this.invalidations.clear();
  }

  async read(key: string): Promise<StoredValue | undefined> {
    this.use();
    return this.entries.use(key);
  }

  async begin({ key, leaseId, leaseMs, known, refresh = false }: BeginRequest): Promise<BeginReply> {
    this.use();
    const value = refresh ? undefined : this.entries.use(key);
    if (value) return { kind: 'fresh', value };
    const now = this.options.clock();
    const holder = this.leases.holder(key);
    if (holder) {
      // The entry itself counts as well: a refused commit with `supersedes: 'always'` may have invalidated it and left
      // the lease to another builder, whose commit can then only be refused.
      const isDoomed =
        !this.window.canJudge(holder.start) || this.window.isOvertaken(holder.start, [entry(key), ...known]);
      if (!isDoomed) return { kind: 'wait', leaseId: holder.leaseId, expiresInMs: holder.expiresAt - now };
      this.endLease(key);
    }
    const start = this.window.startPoint(now);
    this.leases.grant(key, leaseId, start, leaseMs);
    return { kind: 'lease', start };
  }

  async commit(request: CommitRequest): Promise<CommitReply> {
    this.use();
    const { key, leaseId, start, value, dependencies, ttlMs, staleMs = 0, supersedes } = request;
    const reply = this.judge(request);
    if (supersedes === 'always' || (supersedes && reply === 'ok')) {
      this.announce([entry(key)]);
      if (this.entries.drop(key)) this.staleCopies.end(key);
    }
    if (reply === 'fenced') return reply;
    if (reply === 'ok') {
      const expiresAt = ttlMs === undefined ? undefined : start.at + ttlMs;
      const kept = this.entries.put(key, value, dependencies, { fetchedAt: start.at, expiresAt });
      this.staleCopies.put(key, kept, staleMs, expiresAt);
    } else if (reply === 'expired' && staleMs > 0) {
      // The value is newer than the copy that there may be, although it is no longer valid.
      this.staleCopies.put(key, { ...value, fetchedAt: start.at }, staleMs, start.at + (ttlMs ?? 0));
    }
    if (this.leases.isHeldBy(key, leaseId)) this.leases.end(key);
    this.leaseEnds.tell({ key, leaseId });
    return reply;
  }

  async renew(key: string, leaseId: string, leaseMs: number): Promise<boolean> {
    this.use();
    const lease = this.leases.holder(key);
    if (lease?.leaseId !== leaseId) return false;
    this.leases.grant(key, leaseId, lease.start, leaseMs);
    return true;
  }

  async release(end: LeaseEnd): Promise<void> {
    this.use();
    if (!this.leases.isHeldBy(end.key, end.leaseId)) return;
    this.leases.end(end.key);
    this.leaseEnds.tell(end);
  }

  async write({ key, value, dependencies, ttlMs, leaseId }: WriteRequest): Promise<boolean> {
    this.use();
    if (leaseId !== undefined && !this.leases.isHeldBy(key, leaseId)) return false;
    this.announce([entry(key)]);
    this.endLease(key);
    const fetchedAt = this.options.clock();
    this.entries.put(key, value, dependencies, {
      fetchedAt,
      expiresAt: ttlMs === undefined ? undefined : fetchedAt + ttlMs,
    });
    this.staleCopies.delete(key);
    return true;
  }

  /** There is nothing to wait for: no other process, and no L1. */
  async settle(): Promise<void> {}

  async invalidate(dependencies: readonly Dependency[]): Promise<Invalidation> {
    this.use();
    if (dependencies.length === 0) return { dropped: 0, keys: [], deferred: 0 };
    this.announce(dependencies);
    let dropped = 0;
    const keys: string[] = [];
    for (const d of dependencies) {
      const itself = entryKey(d);
      if (itself !== undefined) {
        this.endLease(itself);
        this.staleCopies.delete(itself);
      }
      for (const key of itself === undefined ? this.entries.dependantsOf(d) : [itself]) {
        if (!this.entries.drop(key)) continue;
        this.staleCopies.end(key);
        dropped += 1;
        if (keys.length < KEYS_REPORTED_MAX) keys.push(key);
      }
    }
    if (keys.length > 0) this.drops.tell(keys);
    return { dropped, keys, deferred: 0 };
  }

  async extend(key: string, ttlMs: number, absoluteMs: number | undefined): Promise<boolean> {
    this.use();
    const now = this.options.clock();
    const expiresAt = this.entries.extend(key, (fetchedAt) =>
      Math.min(now + ttlMs, fetchedAt + (absoluteMs ?? Infinity)),
    );
    if (expiresAt !== undefined) this.staleCopies.extend(key, expiresAt);
    return expiresAt !== undefined;
  }

  async readStale(key: string): Promise<StaleValue | undefined> {
    this.use();
    return this.entries.has(key) ? undefined : this.staleCopies.read(key);
  }

  async status(
    key: string,
  ): Promise<{ readonly status: KeyStatus; readonly leaseId?: string; readonly expiresInMs?: number }> {
    this.use();
    if (this.entries.has(key)) return { status: 'exists' };
    const lease = this.leases.holder(key);
    if (!lease) return { status: 'empty' };
    return { status: 'pending', leaseId: lease.leaseId, expiresInMs: lease.expiresAt - this.options.clock() };
  }

  async *keys(): AsyncIterable<string[]> {
    this.use();
    const all = this.entries.keys();
    for (let i = 0; i < all.length; i += KEYS_PAGE) {
      const live = all.slice(i, i + KEYS_PAGE).filter((key) => this.entries.has(key));
      if (live.length > 0) yield live;
    }
  }

  async memoryUsage(keys: readonly string[]): Promise<number> {
    this.use();
    return keys.reduce((bytes, key) => bytes + this.entries.payloadBytes(key), 0);
  }

  async sweep(): Promise<SweepReport> {
    this.use();
    const freed = this.entries.dropExpired(SWEEP_MAX);
    const leases = this.leases.dropExpired(SWEEP_MAX);
    return { freed, more: freed === SWEEP_MAX || leases === SWEEP_MAX };
  }

  onLeaseEnd(listener: (end: LeaseEnd) => void): Unsubscribe {
    return this.leaseEnds.add(listener);
  }

  onInvalidation(listener: (notice: InvalidationNotice) => void): Unsubscribe {
    return this.invalidations.add(listener);
  }

  onDropped(listener: (keys: readonly string[]) => void): Unsubscribe {
    return this.drops.add(listener);
  }

  state(): StoreState {
    if (this.isClosed) return { kind: 'memory', status: 'down', reason: 'the embedded store was closed' };
    return { kind: 'memory', status: 'up', entries: this.entries.count, bytes: this.entries.bytes };
  }

  private use(): void {
    if (this.isClosed) throw new StoreUnavailableError('the embedded store was closed; create a new one');
  }

  /**
   * The order matters. For a start point that `canJudge` refuses, the other checks mean nothing; and `stale` is final,
   * so it comes before `fenced` and `expired` if several apply.
   */
  private judge({ key, leaseId, start, dependencies, ttlMs }: CommitRequest): CommitReply {
    if (!this.window.canJudge(start)) return 'lost';
    if (this.window.isOvertaken(start, dependencies) || this.window.isOvertaken(start, [entry(key)])) return 'stale';
    const holder = this.leases.holder(key);
    if (holder ? holder.leaseId !== leaseId : this.entries.has(key)) return 'fenced';
    return ttlMs !== undefined && start.at + ttlMs <= this.options.clock() ? 'expired' : 'ok';
  }

  /** From now on the commits of older builds that depend on these are refused. Notifies the listeners. */
  private announce(dependencies: readonly Dependency[]): void {
    const clock = this.window.tick(dependencies);
    const isAfter = (_key: string, start: StartPoint) => this.window.isBefore(start, clock);
    this.invalidations.tell({ dependencies: [...dependencies], isAfter });
  }

  private endLease(key: string): void {
    const lease = this.leases.holder(key);
    if (!lease) return;
    this.leases.end(key);
    this.leaseEnds.tell({ key, leaseId: lease.leaseId });
  }
}
