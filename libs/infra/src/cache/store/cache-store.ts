import type { Invalidation, KeyStatus } from '../cache.types.js';
import type { Dependency } from '../dependencies.js';

/**
 * Where a fill began: the partition's invalidation clock, the nonce of its last invalidation (`tip`), and the store's own
 * time. It must be obtained before the first byte is requested from the source, and is handed back unchanged at commit.
 */
export interface StartPoint {
  readonly clock: number;
  readonly tip: string;
  /** The store's clock in milliseconds; TTLs count from it, so that a builder's pause does not lengthen them. */
  readonly at: number;
  /** Of a store that is shared: the number of the build, and the history in which it began. */
  readonly build?: number;
  readonly history?: number;
}

/** A value as the store keeps it. `codec` is opaque to the store: how the bytes are to be read (see `value-codec.ts`). */
export interface StoredValue {
  readonly codec: number;
  readonly bytes: Buffer;
  /** The bytes read as UTF-8, by a store that has them in a larger buffer. */
  readonly text?: string;
  /** Set by a store that had to decode it already. */
  decoded?: { readonly value: unknown };
  /** The store's time at which the entry expires, in milliseconds; 0 or undefined: it has no TTL. */
  readonly expiresAt?: number;
  /** The store's time at which its fetch began (or at which it was written). */
  readonly fetchedAt?: number;
}

/** A value that is not valid any more, and for how long. */
export interface StaleValue {
  readonly value: StoredValue;
  readonly staleForMs: number;
}

/** The answer to `begin`, taken at one instant. */
export type BeginReply =
  /** A valid entry is there. */
  | { readonly kind: 'fresh'; readonly value: StoredValue }
  /** The caller holds the lease and shall fetch. */
  | { readonly kind: 'lease'; readonly start: StartPoint }
  /** Another builder, named by `leaseId`, holds the lease for at most `expiresInMs`. Nothing was granted. */
  | { readonly kind: 'wait'; readonly leaseId: string; readonly expiresInMs: number };

export interface BeginRequest {
  readonly key: string;
  /** A random name for the lease, if one is granted. */
  readonly leaseId: string;
  readonly leaseMs: number;
  /**
   * Dependencies that the caller knows the value will have. A lease whose start is older than the last invalidation of
   * one of them can only be refused at commit, so it is taken over at once.
   */
  readonly known: readonly Dependency[];
  /** Grant the lease although a valid entry is there: to refresh it before it ends, or to lock it. @default false */
  readonly refresh?: boolean;
}

export interface CommitRequest {
  readonly key: string;
  readonly leaseId: string;
  readonly start: StartPoint;
  readonly value: StoredValue;
  /** All dependencies, `storedDependencies()` applied. */
  readonly dependencies: readonly Dependency[];
  /** Milliseconds from `start.at`; undefined keeps the entry until it is invalidated (or the store's retention ends). */
  readonly ttlMs: number | undefined;
  /**
   * Keep a second copy, which `readStale` may hand out for so long after the entry has ended. @default 0: none
   */
  readonly staleMs?: number;
  /**
   * Whether nothing that was fetched before it may be served by any process once the reply has come, which then comes as that of
   * an invalidation of the entry does. `if-stored`: it takes the place of a valid entry, and nobody is answered with it if it is
   * refused. `always`: somebody is answered with it who wants no entry of a certain age. @default undefined: no
   */
  readonly supersedes?: 'if-stored' | 'always' | undefined;
}

/**
 * `ok` stored · `stale` a dependency was invalidated after the start · `lost` the start is not part of this store's
 * history (failover, flush) or too old to be judged · `fenced` a newer builder took over · `expired` the TTL had passed
 * already: not stored, yet nothing it depends on was invalidated.
 */
export type CommitReply = 'ok' | 'stale' | 'lost' | 'fenced' | 'expired';

/** How a lease ended, as told to those who wait for it. It never carries a value: a waiter always reads the store again. */
export interface LeaseEnd {
  readonly key: string;
  readonly leaseId: string;
  /** Set when the fetch failed: its code and message for this lease's waiters. */
  readonly failure?: { readonly code: string | undefined; readonly message: string };
}

export interface WriteRequest {
  readonly key: string;
  readonly value: StoredValue;
  readonly dependencies: readonly Dependency[];
  readonly ttlMs: number | undefined;
  /** Write only while this lease is held, which the write then ends: a lock. @default unconditional */
  readonly leaseId?: string;
}

export interface SweepReport {
  /** Entries freed: expired, flushed, or waiting behind a deferred invalidation. */
  readonly freed: number;
  /** Whether more work was left for the next call. */
  readonly more: boolean;
}

export type Unsubscribe = () => void;

/** One invalidation, as the store announces it to everybody. */
export interface InvalidationNotice {
  /** `'*'` stands for everything. */
  readonly dependencies: readonly Dependency[] | '*';
  /** Whether a fill of this key that began at `start` came before it (and so is refused if it depends on any of these). */
  isAfter(key: string, start: StartPoint): boolean;
}

/**
 * The coherence protocol as operations, each of them one atomic step (docs/concepts/coherence.md).
 *
 * Guarantees of every implementation, held by `test/contract/cache-store.contract.ts`:
 * after `invalidate(d)` has resolved, no read that begins later returns a value that depends on `d` and was fetched from a
 * start point taken before; a commit from such a start point is refused, whichever dependencies it turns out to have; an
 * expired, dropped or swept entry leaves nothing behind in the index.
 *
 * Every method may reject with `StoreUnavailableError`; then it may or may not have been carried out.
 */
export abstract class CacheStore {
  /** Establishes the connection where there is one. Rejects `CACHE_STORE_UNSUITABLE` if the server must not be used. */
  abstract open(): Promise<void>;
  abstract close(): Promise<void>;

  /**
   * The valid entry, or undefined. The cheapest read there is: one command in the normal case. Who is given the same promise
   * as somebody before shares a request that had not been sent when they asked.
   */
  abstract read(key: string): Promise<StoredValue | undefined>;
  abstract begin(request: BeginRequest): Promise<BeginReply>;
  abstract commit(request: CommitRequest): Promise<CommitReply>;
  /** Prolongs the lease; false if it is no longer this builder's. */
  abstract renew(key: string, leaseId: string, leaseMs: number): Promise<boolean>;
  /** Ends the lease if it is still this builder's, and tells the waiters. */
  abstract release(end: LeaseEnd): Promise<void>;
  /**
   * Stores a value as if it had been fetched at the instant at which the store applies it. Ends every build of the key. Like
   * an invalidation it resolves when no L1 can serve the value before it. False, and nothing was changed: the lease that was
   * named is not held any more.
   */
  abstract write(request: WriteRequest): Promise<boolean>;
  /**
   * Resolves when no process serves from its L1 what the store had replaced of this key before the call. For callers that the
   * build of another process answers: its own callers get their answer only then.
   */
  abstract settle(key: string): Promise<void>;
  /** Resolves when acknowledged: in every partition. */
  abstract invalidate(dependencies: readonly Dependency[]): Promise<Invalidation>;
  /**
   * Moves the end of a valid entry with a TTL to `ttlMs` from now, but not beyond `absoluteMs` after its fetch began, and never
   * back. False if there is no such entry.
   */
  abstract extend(key: string, ttlMs: number, absoluteMs: number | undefined): Promise<boolean>;
  /**
   * The copy that was kept under `CommitRequest.staleMs`, if its entry has ended by expiry or invalidation no longer ago than
   * that. Undefined while a valid entry is there, after `del` and `write`, and after an invalidation so wide that it was
   * deferred: the time at which the entry fell is then not known.
   */
  abstract readStale(key: string): Promise<StaleValue | undefined>;
  abstract status(
    key: string,
  ): Promise<{ readonly status: KeyStatus; readonly leaseId?: string; readonly expiresInMs?: number }>;

  /** Keys of live entries, each once, in no order; an entry that lives throughout is named, one that comes or goes may be. */
  abstract keys(): AsyncIterable<string[]>;
  /** Bytes that the store needs for the values of these keys (key and value, not the index). */
  abstract memoryUsage(keys: readonly string[]): Promise<number>;
  /** One bounded step of cleaning. Safe to run in any number of processes at once. */
  abstract sweep(): Promise<SweepReport>;

  /** Calls back when a lease on any key ends. A message can be lost, so waiters also look for themselves. */
  abstract onLeaseEnd(listener: (end: LeaseEnd) => void): Unsubscribe;
  /** Calls back for every invalidation and `write`, whoever made it. A message can be lost. */
  abstract onInvalidation(listener: (notice: InvalidationNotice) => void): Unsubscribe;

  /**
   * Calls back with the keys of the entries that an invalidation has removed at once, whichever process made it: at most 1,000
   * of one call. What was deferred, what expired and what was written is not told. A message can be lost.
   */
  abstract onDropped(listener: (keys: readonly string[]) => void): Unsubscribe;

  /** The L1 in front of this store, if it has one. */
  get local(): LocalReads | undefined {
    return undefined;
  }

  /** Calls back when the store has ceased to answer, perhaps more than once. One that is in the process never does. */
  onOutage(_listener: () => void): Unsubscribe {
    return () => undefined;
  }

  abstract state(): StoreState;
}

/** Entries kept in this process, served only while no invalidation can have been missed. */
export interface LocalReads {
  /**
   * The value of the entry as it is at this instant, or undefined. It is shared with others, and perhaps frozen: it is to be
   * read only. One promise for all hits: one of its own would be a third of what a hit costs.
   */
  find(key: string): Promise<unknown> | undefined;
  /** Milliseconds until the entry expires; undefined if it is not here, or has no TTL. */
  remainingMs(key: string): number | undefined;
  state(): LocalState;
}

/** What is kept in this process. */
export interface LocalState {
  readonly mode: 'bounded' | 'strict';
  readonly entries: number;
  /** Bytes of the stored values and of what is kept beside them; the objects take two to three times as much. */
  readonly bytes: number;
}

/** Whether the store can be used just now, and why not. */
export interface StoreState {
  readonly kind: 'redis' | 'memory';
  readonly status: 'up' | 'down';
  readonly reason?: string;
  readonly entries?: number;
  readonly bytes?: number;
  /** Dependencies whose invalidation this process owes the store; nothing is read from it before it has carried them out. */
  readonly owedInvalidations?: number;
  /** The L1 in front of the store, where there is one. */
  readonly local?: LocalState;
}
