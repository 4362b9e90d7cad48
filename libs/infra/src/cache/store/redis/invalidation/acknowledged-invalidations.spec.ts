import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { PrimaryVouch } from '../../../../redis/primary-vouch.js';
import { Trust } from '../../../../redis/trust.js';
import { StoreUnavailableError } from '../../../cache.errors.js';
import { record } from '../../../dependencies.js';
import { ValueCodec } from '../../../protocol/value-codec.js';
import { AcknowledgedInvalidations } from './acknowledged-invalidations.js';
import type { RedisL1 } from '../l1/redis-l1.js';
import { Partitions } from '../partition/partition.js';
import type { PartitionScripts } from '../partition/partition-scripts.js';
import type { RedisGuard } from '../connection/redis-guard.js';

const THING = record('Thing', '1');
/** The answer of `invalidate.lua` at clock 6: the store dropped no entry, and no other process has to follow. */
const INVALIDATED = ['OK', Buffer.from('6 0 0 t6 1 -'), 0, 0, 'v', '', 1];
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('AcknowledgedInvalidations', () => {
  /** Answers every script; at first as a beat that finds the gate at clock 5. */
  let run: () => Promise<unknown[]>;
  let outages: number;
  /** Reports, as the guard does, that the store can be used. */
  let usable: () => void;
  let partitions: Partitions;
  let l1: RedisL1;
  let vouch: PrimaryVouch;
  let invalidations: AcknowledgedInvalidations;

  beforeEach(async () => {
    outages = 0;
    run = async () => ['JOIN', '5 0 0 t5 1 -', '0'];
    const guard = { onUsable: (listener: () => void) => (usable = listener), tellOutage: () => outages++ };
    const scripts = { run: () => run(), runNumber: async () => 0 };
    partitions = new Partitions('t', 1);
    const onSplit = 'refuse';
    vouch = new PrimaryVouch(undefined, { onSplit, vouchMs: 1000, isAway: () => false, onLost: () => undefined });
    invalidations = new AcknowledgedInvalidations(
      guard as unknown as RedisGuard,
      scripts as unknown as PartitionScripts,
      partitions,
      {
        appName: 't',
        windowMax: 100,
        inlineMax: 100,
        l1: { mode: 'strict', codec: new ValueCodec(undefined), maxBytes: 1e6, maxEntries: 10, shouldFreeze: false },
      },
      vouch,
    );
    l1 = invalidations.l1 as RedisL1;
    l1.start();
    await turn(); // lets the first lease be granted
  });
  afterEach(async () => {
    invalidations.close();
    await l1.close();
  });

  /** Keeps a value in the L1, as after a read whose reply was true at this clock. */
  function keep(clock: number): void {
    const entry = { clock, tip: `t${clock}`, build: 1, dependencies: [THING], expiresAt: 0 };
    l1.keepValue('things:1', l1.cache.generation('things:1'), entry, { codec: 0, bytes: Buffer.from('"old"') });
  }

  /** Invalidates; calls `meanwhile` after the first clearing of the L1, while the script is under way. */
  async function invalidate(meanwhile: () => void = () => undefined): Promise<void> {
    const beforehand = run;
    run = async () => {
      run = beforehand;
      meanwhile();
      return INVALIDATED;
    };
    await invalidations.invalidate([THING]);
  }

  it('clears its own L1 before it asks the store', async () => {
    keep(5);
    expect(await l1.cache.find('things:1')).toBe('old');
    await invalidate(() => expect(l1.cache.find('things:1')).toBeUndefined());
  });

  it('clears its own L1 again of what a read brought before the store answered', async () => {
    await invalidate(() => {
      keep(5);
      expect(l1.cache.find('things:1')).toBeDefined();
    });
    expect(l1.cache.find('things:1')).toBeUndefined();
  });

  it('keeps nothing older afterwards, before the bus tells of it: a reply may have been under way longer', async () => {
    await invalidate();
    keep(5);
    expect(l1.cache.find('things:1')).toBeUndefined();
    const told = { clock: 6, tip: 't6', born: 1, previousTip: 't5', dependencies: [THING], requester: undefined };
    l1.follow(new Partitions('t', 1).all[0]!, told, 'self');
    keep(6);
    expect(l1.cache.find('things:1')).toBeDefined();
  });

  it('[T5] is sent once more where a redirection led it elsewhere, confirmed for that server, and says what fell at first', async () => {
    let server = 'a';
    const trust = new Trust(
      () => 'turned',
      () => server,
    );
    trust.until = Infinity;
    partitions.all[0]!.trust = trust;
    Object.assign(vouch, {
      confirmed: async (_index: number, carriedOutBy: unknown) => (carriedOutBy === server ? undefined : 'turned'),
    });
    let sent = 0;
    run = async () => {
      server = 'b';
      return sent++ === 0 ? ['OK', Buffer.from('6 0 0 t6 1 -'), 1, 0, 'v', '', 1, 'things:1'] : INVALIDATED;
    };
    expect(await invalidations.invalidate([THING])).toEqual({ dropped: 1, keys: ['things:1'], deferred: 0 });
    expect([sent, invalidations.owedInvalidations]).toEqual([2, 0]);
  });

  it('[T5] is owed where the connection turns away while it is confirmed', async () => {
    Object.assign(vouch, { confirmed: async () => 'turned to another server' });
    run = async () => INVALIDATED;
    await expect(invalidations.invalidate([THING])).rejects.toThrow('turned to another server');
    expect(invalidations.owedInvalidations).toBe(1);
  });

  it('trusts nothing until an invalidation that the store did not acknowledge has been carried out', async () => {
    let isAway = true;
    run = async () => {
      if (isAway) throw new StoreUnavailableError('away');
      return INVALIDATED;
    };
    await expect(invalidations.invalidate([THING])).rejects.toThrow('away');
    expect([outages, invalidations.owedInvalidations]).toEqual([1, 1]);
    keep(6);
    expect(l1.cache.find('things:1')).toBeUndefined();
    isAway = false;
    await turn(); // lets the attempt that is under way fail
    usable();
    await turn();
    expect(invalidations.owedInvalidations).toBe(0);
  });
});
