import { beforeEach, describe, expect, it } from '@jest/globals';
import { deferred, type Deferred } from '../../../../../test/support/deferred.js';
import type { GetOrSetOptions } from '../cache.types.js';
import { entry } from '../dependencies.js';
import { MemoryCacheStore } from '../store/memory/memory-cache-store.js';
import type {
  BeginReply,
  BeginRequest,
  CommitReply,
  CommitRequest,
  StoredValue,
  Unsubscribe,
} from '../protocol/cache-store.js';
import { ValueCodec } from '../protocol/value-codec.js';
import { resolveGetOrSetOptions } from './get-or-set-options.js';
import { ReadThrough } from './read-through.js';
import { Waiter } from './waiters/waiter.js';

/**
 * Carries out each request at once; the test can hold back the answer to a `begin`, `read` or `commit`, as a slow
 * network does. Its messages about invalidations do not arrive: they only help, and no promise may rest on them.
 */
class SlowlyAnsweringStore extends MemoryCacheStore {
  private held: { readonly found: Deferred<void>; readonly told: Deferred<void> } | undefined;

  /** Holds the next answer back: `found` resolves when it is ready, and the test resolves `told` to send it. */
  hold() {
    return (this.held = { found: deferred(), told: deferred() });
  }

  override async begin(request: BeginRequest): Promise<BeginReply> {
    return this.delay(await super.begin(request));
  }

  override async read(key: string): Promise<StoredValue | undefined> {
    return this.delay(await super.read(key));
  }

  override async commit(request: CommitRequest): Promise<CommitReply> {
    return this.delay(await super.commit(request));
  }

  override onInvalidation(): Unsubscribe {
    return () => undefined;
  }

  private async delay<T>(answer: T): Promise<T> {
    const { held } = this;
    this.held = undefined;
    held?.found.resolve();
    await held?.told.promise;
    return answer;
  }
}

describe('Flight', () => {
  const codec = new ValueCodec(undefined);
  let store: SlowlyAnsweringStore;
  let readThrough: ReadThrough;
  let now: number;

  beforeEach(async () => {
    now = 1_000_000;
    store = new SlowlyAnsweringStore({ maxBytes: 1e6, clock: () => now });
    readThrough = new ReadThrough(store, codec, 8);
    await store.write({ key: 'd:k', value: codec.encode('d:k', 'old', false), dependencies: [], ttlMs: 60_000 });
  });

  const ask = (value: string, options: GetOrSetOptions<unknown> = {}) => {
    const defaults = { waitMs: 1000, leaseMs: 1000, safetyTtlSeconds: undefined };
    const waiter = new Waiter('d:k', () => Promise.resolve(value), resolveGetOrSetOptions(options, defaults));
    readThrough.enter(waiter);
    return waiter.answer;
  };

  it('[invariant 4] gives nobody the entry found by a request that was sent before they came', async () => {
    const { found, told } = store.hold();
    const early = ask('unused');
    await found.promise;
    await store.invalidate([entry('d:k')]); // acknowledged while the answer is on its way
    const late = ask('new');
    told.resolve();
    expect(await early).toBe('old');
    expect(await late).toBe('new');
  });

  it('nor the entry that was looked at under the lease for a caller that wants a newer one', async () => {
    now += 30_000;
    readThrough.clock.learn(now, performance.now());
    const offered = store.hold();
    const early = ask('newer', { maxAgeSeconds: 1 }); // refuses the offered entry, and asks for the lease
    await offered.found.promise;
    offered.told.resolve();
    const granted = store.hold();
    await granted.found.promise;
    granted.told.resolve();
    const read = store.hold();
    await read.found.promise;
    await store.invalidate([entry('d:k')]);
    const late = ask('newest');
    read.told.resolve();
    expect(await early).toBe('newer');
    expect(await late).toBe('newest');
  });

  it('[invariant 3] accepts nobody once its commit was sent, although the answer is on its way', async () => {
    await store.invalidate([entry('d:k')]);
    const begun = store.hold();
    const early = ask('built');
    await begun.found.promise;
    const sent = store.hold();
    begun.told.resolve();
    await sent.found.promise; // the value is stored
    await store.invalidate([entry('d:k')]);
    const late = ask('new');
    sent.told.resolve();
    expect(await early).toBe('built');
    expect(await late).toBe('new');
  });
});
