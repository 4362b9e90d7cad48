import type { Invalidation, KeyStatus } from '../cache.types.js';
import type { Dependency } from '../dependencies.js';

/**
 * The start point of a build: the partition's invalidation clock, the nonce of its last invalidation (`tip`), and the
 * store's own time. The builder must obtain it before it requests the first byte from the source, and returns it
 * unchanged at commit.
 */
export interface StartPoint {
  readonly clock: number;
  readonly tip: string;
  /** The store's time in milliseconds; TTLs count from it, so that a builder's pause does not lengthen them. */
  readonly at: number;
  /** For a shared store: the number of the build, and the history in which it began. */
  readonly build?: number;
  readonly history?: number;
}

/**
 * A value as the store keeps it. `codec` says how to read the bytes, and is opaque to the store (see `value-codec.ts`).
 */
export interface StoredValue {
  readonly codec: number;
  readonly bytes: Buffer;
  /**
   * The bytes as UTF-8 text. A store whose bytes are part of a larger buffer gives it, so that no view of them is made.
   */
  readonly text?: string;
  /** The decoded value, set by a store that has decoded it already, for its L1. */
  decoded?: { readonly value: unknown };
  /** The store's time at which the entry expires, in milliseconds; 0 or undefined: it has no TTL. */
  readonly expiresAt?: number;
  /** The store's time at which its fetch began, or at which it was written. */
  readonly fetchedAt?: number;
}

/** A read of an entry that callers may share. */
export interface StoreRead {
  /** The valid entry, or undefined. */
  readonly reply: Promise<StoredValue | undefined>;
  /**
   * Whether a caller that asks now may share the reply: the request is not sent yet, so it will be sent after the
   * caller came.
   */
  readonly isOpen: boolean;
}

/** A part of a read of many entries. */
export interface ManyStoreRead {
  readonly keys: readonly string[];
  /** The valid entries, each in the place of its key. */
  readonly reply: Promise<readonly (StoredValue | undefined)[]>;
}

/** A value that is no longer valid, and how long ago it ended. */
export interface StaleValue {
  readonly value: StoredValue;
  readonly staleForMs: number;
}

/** The answer to `begin`, taken at one instant. */
export type BeginReply =
  /** There is a valid entry. */
  | { readonly kind: 'fresh'; readonly value: StoredValue }
  /** The caller now holds the lease. */
  | { readonly kind: 'lease'; readonly start: StartPoint }
  /** A build or a lock has the lease `leaseId`, which runs out in `expiresInMs` if not renewed. Nothing was granted. */
  | { readonly kind: 'wait'; readonly leaseId: string; readonly expiresInMs: number };

export interface BeginRequest {
  readonly key: string;
  /** A random name for the lease, if one is granted. */
  readonly leaseId: string;
  readonly leaseMs: number;
  /**
   * Dependencies that the caller knows the value will have. If one of them was invalidated after another builder's
   * lease began, the commit under that lease can only be refused, so the caller takes the lease over at once.
   */
  readonly known: readonly Dependency[];
  /**
   * Grant the lease although there is a valid entry: to refresh it before it ends, to replace one that is too old for a
   * caller, or to lock it. @default false
   */
  readonly refresh?: boolean;
}

export interface CommitRequest {
  readonly key: string;
  readonly leaseId: string;
  readonly start: StartPoint;
  readonly value: StoredValue;
  /** All dependencies, as `storedDependencies()` returns them. */
  readonly dependencies: readonly Dependency[];
  /**
   * Milliseconds from `start.at`. 0 only checks the value, and does not store it. Undefined keeps the entry until it is
   * invalidated (or the store's retention ends).
   */
  readonly ttlMs: number | undefined;
  /** Keep a second copy, which `readStale` may return for this long after the entry has ended. @default 0: none */
  readonly staleMs?: number;
  /**
   * Whether the reply means what that of an invalidation of the entry means, and takes as long: no process serves
   * anything that was fetched before this value. `if-stored`: only if the value is stored, for a build in the
   * background that replaces a valid entry: if it is refused, no caller receives the value. `always`: also if it is
   * refused, because the value answers a caller that refuses older entries. @default undefined: no
   */
  readonly supersedes?: 'if-stored' | 'always' | undefined;
}

/**
 * The reply to a commit. `ok`: stored. `stale`: a dependency or the key was invalidated after the start. `lost`: the
 * start is not part of this store's history (failover, flush) or too old to be judged. `fenced`: this build no longer
 * holds the lease, and another holder or an entry is there. `expired`: the TTL had already passed, so no entry was
 * stored, although no dependency was invalidated.
 */
export type CommitReply = 'ok' | 'stale' | 'lost' | 'fenced' | 'expired';

/** How a lease ended, for its waiters. It never carries a value: unless the fetch failed, they ask the store again. */
export interface LeaseEnd {
  readonly key: string;
  readonly leaseId: string;
  /** Set if the fetch failed: its code and message for this lease's waiters. */
  readonly failure?: { readonly code: string | undefined; readonly message: string };
}

export interface WriteRequest {
  readonly key: string;
  readonly value: StoredValue;
  readonly dependencies: readonly Dependency[];
  readonly ttlMs: number | undefined;
  /** Write only while this lease (of a lock) is held, and end it. @default the write is unconditional */
  readonly leaseId?: string;
}

export interface SweepReport {
  /** Entries freed: expired, flushed, or waiting behind a deferred invalidation. */
  readonly freed: number;
  /** Whether work is left for the next call. */
  readonly more: boolean;
}

export type Unsubscribe = () => void;

/** One invalidation, as the store announces it. */
export interface InvalidationNotice {
  /** `'*'` stands for everything. */
  readonly dependencies: readonly Dependency[] | '*';
  /**
   * Whether the build of this key that began at `start` began before this invalidation. If so, its commit is refused if
   * the value depends on any of `dependencies`.
   */
  isAfter(key: string, start: StartPoint): boolean;
}

/**
 * The coherence protocol as operations, each of them one atomic step (docs/concepts/coherence.md).
 *
 * Guarantees of every implementation, held by `test/contract/cache-store.contract.ts`: after `invalidate(d)` has
 * resolved, no read that begins later returns a value that depends on `d` and was fetched from a start point taken
 * before; a commit from such a start point is refused if its value depends on `d`, even if only the commit names it; an
 * expired, dropped or swept entry leaves nothing behind in the index. Exceptions: see `CacheService`.
 *
 * Every operation on entries may reject with `StoreUnavailableError`; then it may or may not have been carried out.
 */
export abstract class CacheStore {
  /** Establishes the connection if there is one. Rejects `CACHE_STORE_UNSUITABLE` if the server must not be used. */
  abstract open(): Promise<void>;
  abstract close(): Promise<void>;

  /** The valid entry, or undefined. The cheapest read there is: one command in the normal case. */
  abstract read(key: string): Promise<StoredValue | undefined>;
  /**
   * Like `read`, for a caller that lets others share it. This default shares nothing: it is for a store that answers at
   * once.
   */
  requestRead(key: string): StoreRead {
    return { reply: this.read(key), isOpen: false };
  }
  /** Reads of all these entries, in as few commands as the store needs. Each part can fail alone. */
  requestMany(keys: readonly string[]): readonly ManyStoreRead[] {
    return [{ keys, reply: Promise.all(keys.map((key) => this.read(key))) }];
  }
  abstract begin(request: BeginRequest): Promise<BeginReply>;
  abstract commit(request: CommitRequest): Promise<CommitReply>;
  /** Prolongs the lease; false if this builder no longer holds it. */
  abstract renew(key: string, leaseId: string, leaseMs: number): Promise<boolean>;
  /** Ends the lease if this builder still holds it, and notifies the waiters. */
  abstract release(end: LeaseEnd): Promise<void>;
  /**
   * Stores a value as if it had been fetched at the instant at which the store applies it. Ends every build of the key.
   * Like an invalidation, it resolves when no L1 (except `bounded` ones) can serve an earlier value. False: the lease
   * that `leaseId` names is no longer held, and nothing changed.
   */
  abstract write(request: WriteRequest): Promise<boolean>;
  /**
   * Resolves when no L1 (except `bounded` ones) serves an entry of this key that the store had replaced before the
   * call. A caller with `maxAgeSeconds` that waited for another process's build awaits this before it gets the value,
   * because a build under `maxAgeSeconds` also answers only then.
   */
  abstract settle(key: string): Promise<void>;
  /** Resolves when acknowledged in every partition that can hold dependants. */
  abstract invalidate(dependencies: readonly Dependency[]): Promise<Invalidation>;
  /**
   * Moves the end of a valid entry with a TTL to `ttlMs` from now, but not beyond `absoluteMs` after its fetch began,
   * and never to an earlier time. False if there is no such entry.
   */
  abstract extend(key: string, ttlMs: number, absoluteMs: number | undefined): Promise<boolean>;
  /**
   * The copy kept under `CommitRequest.staleMs`, if its entry has ended by expiry or invalidation no longer ago than
   * that. Undefined while there is a valid entry, after `del` and `write`, in a new history, and after an invalidation
   * so wide that it was deferred, because the time at which the entry fell is then not known.
   */
  abstract readStale(key: string): Promise<StaleValue | undefined>;
  abstract status(
    key: string,
  ): Promise<{ readonly status: KeyStatus; readonly leaseId?: string; readonly expiresInMs?: number }>;

  /**
   * Keys of live entries, in pages, each key once, in no order. An entry that lives throughout is included; one that
   * comes or goes meanwhile may be.
   */
  abstract keys(): AsyncIterable<string[]>;
  /** Bytes that the store needs for the values of these keys (key and value, not the index). */
  abstract memoryUsage(keys: readonly string[]): Promise<number>;
  /** One bounded step of cleaning. Safe to run in any number of processes at once. */
  abstract sweep(): Promise<SweepReport>;

  /**
   * Calls back when a lease on any key is ended or taken over; not when it runs out. A message can be lost, so waiters
   * also look for themselves.
   */
  abstract onLeaseEnd(listener: (end: LeaseEnd) => void): Unsubscribe;
  /**
   * Calls back for every invalidation and `write`, and for a commit with `supersedes` (with `if-stored`, only if the
   * value is stored), of any process. A message can be lost.
   */
  abstract onInvalidation(listener: (notice: InvalidationNotice) => void): Unsubscribe;

  /**
   * Calls back with the keys of the entries that an invalidation of any process removed at once: at most 1,000 per
   * call. Deferred, expired and overwritten entries are not reported. A message can be lost.
   */
  abstract onDropped(listener: (keys: readonly string[]) => void): Unsubscribe;

  /** The L1 in front of this store, if it has one. */
  readonly l1: L1Reads | undefined;

  /** Calls back when the store has stopped answering, perhaps more than once. A store in the process never does. */
  onOutage(_listener: () => void): Unsubscribe {
    return () => undefined;
  }

  abstract state(): StoreState;
}

/** An entry of the L1, which a reader may keep to ask for it again without its key. */
export interface L1Hit {
  readonly key: string;
  /** One promise of the value, for all hits; undefined: the L1 has dropped the entry, and the value with it. */
  readonly answer: Promise<unknown> | undefined;
}

/** Entries kept in this process, served only while it holds the L1's lease of their partition. */
export interface L1Reads {
  /**
   * The value of the entry at this instant, or undefined. It is shared with other callers, and perhaps frozen: only
   * read it. All hits share one promise: a new one for each would be a third of the cost of a hit.
   */
  find(key: string): Promise<unknown> | undefined;
  /** The entry under this key, to be passed to `serve`, whether it may be served or not. */
  entry(key: string): L1Hit | undefined;
  /** Like `find`, for an entry of this L1. `now` is the instant by `hitClock()`, read in this turn. */
  serve(entry: L1Hit, now: number): Promise<unknown> | undefined;
  /** Like `remainingMs`, for an entry of this L1. */
  remainingMsOf(entry: L1Hit, now: number): number | undefined;
  /** Lower bound of the milliseconds until the entry expires; undefined if it is not here, or has no TTL. */
  remainingMs(key: string): number | undefined;
}

/** The contents of the L1 of this process. */
export interface L1State {
  readonly mode: 'bounded' | 'strict';
  readonly entries: number;
  /** Bytes of the stored values, and an estimate for their overhead; the objects take two to three times as much. */
  readonly bytes: number;
}

/** Whether the store can be used now, and why not. */
export interface StoreState {
  readonly kind: 'redis' | 'memory';
  readonly status: 'up' | 'down';
  readonly reason?: string;
  readonly entries?: number;
  readonly bytes?: number;
  /**
   * Lower bound on the dependencies whose invalidation this process owes the store. It carries them out before it reads
   * from their partition again.
   */
  readonly owedInvalidations?: number;
  /** The L1 in front of the store, if there is one. */
  readonly l1?: L1State;
}
