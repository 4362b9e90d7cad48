import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { L1Cache } from '../../../l1/l1-cache.js';
import type { L1Partition, Position } from '../../../l1/l1-partition.js';
import { L1Leases } from './l1-leases.js';
import { Partitions } from '../partition/partition.js';

const TIMES = { beatMs: 250, leaseMs: 1000 };

describe('L1Leases', () => {
  /** The beats in order: the reported position, and a function that answers. */
  let beats: { readonly reported: Position; readonly answer: (code: string, gate: string) => void }[];
  let acknowledged: [requester: string, tips: readonly string[]][];
  let l1: L1Partition;
  let leases: L1Leases;

  beforeEach(() => {
    jest.useFakeTimers();
    [beats, acknowledged] = [[], []];
    const bounds = { maxBytes: 1000, maxEntries: 10, shouldFreeze: false };
    const cache = new L1Cache({ partitions: 1, partitionOf: () => 0, ...bounds });
    l1 = cache.partitions[0] as L1Partition;
    leases = new L1Leases(cache, new Partitions('t', 1), TIMES, {
      beat: (_, reported) =>
        new Promise((resolve) => beats.push({ reported, answer: (code, gate) => resolve([code, gate, 0]) })),
      leave: async () => undefined,
      acknowledge: async (requester, tips) => void acknowledged.push([requester, [...tips]]),
    });
  });
  afterEach(async () => {
    await leases.close();
    jest.useRealTimers();
  });

  const isLive = () => l1.isLive(performance.now());

  it('[invariant 13] counts a lease from the instant at which it was asked for, however late the answer comes', async () => {
    leases.start();
    await jest.advanceTimersByTimeAsync(400);
    expect([beats.length, isLive()]).toEqual([1, false]); // one beat at a time
    beats[0]?.answer('JOIN', '5 0 0 t5 1 -');
    await jest.advanceTimersByTimeAsync(599);
    expect(isLive()).toBe(true);
    await jest.advanceTimersByTimeAsync(1); // one lease after the request: the store may have forgotten this process
    expect(isLive()).toBe(false);
  });

  it('counts a renewed lease likewise, and has none of an answer that came after its end', async () => {
    leases.start();
    beats[0]?.answer('JOIN', '5 0 0 t5 1 -');
    await jest.advanceTimersByTimeAsync(250);
    expect(beats[1]?.reported).toEqual(expect.objectContaining({ clock: 5, tip: 't5' }));
    await jest.advanceTimersByTimeAsync(650);
    beats[1]?.answer('OK', '5 0 0 t5 1 -'); // requested at 250, answered at 900
    await jest.advanceTimersByTimeAsync(349);
    expect(isLive()).toBe(true);
    await jest.advanceTimersByTimeAsync(1);
    expect(isLive()).toBe(false);
    await jest.advanceTimersByTimeAsync(1000);
    beats[2]?.answer('OK', '5 0 0 t5 1 -');
    await jest.advanceTimersByTimeAsync(0);
    expect(isLive()).toBe(false);
  });

  it('starts afresh where the store does not know its position, and tells the new one at once', async () => {
    leases.start();
    beats[0]?.answer('LOST', '9 0 0 t9 1 -');
    await jest.advanceTimersByTimeAsync(1);
    expect(beats[1]?.reported).toEqual(expect.objectContaining({ clock: 9, tip: 't9' }));
    beats[1]?.answer('LOST', '9 0 0 t9 1 -');
    await jest.advanceTimersByTimeAsync(1);
    expect(beats).toHaveLength(2); // repeated once, then at the usual pace
  });

  it('says once a turn, for each who waits, what was followed', async () => {
    const follow = (clock: number, requester: string | undefined, mustAcknowledge = true) =>
      leases.follow(
        0,
        { clock, tip: `t${clock}`, born: 1, previousTip: '', requester, dependencies: [] },
        mustAcknowledge,
      );
    follow(1, 'p');
    follow(2, 'q');
    follow(3, 'p');
    follow(4, undefined);
    follow(5, 'r', false);
    expect(acknowledged).toEqual([]);
    await jest.advanceTimersByTimeAsync(1);
    expect(acknowledged).toEqual([
      ['p', ['t1', 't3']],
      ['q', ['t2']],
    ]);
  });

  it('serves nothing once it is closed, whatever is answered then', async () => {
    leases.start();
    beats[0]?.answer('JOIN', '5 0 0 t5 1 -');
    await jest.advanceTimersByTimeAsync(250);
    expect(isLive()).toBe(true);
    const closed = leases.close();
    expect(isLive()).toBe(false);
    beats[1]?.answer('OK', '5 0 0 t5 1 -');
    await closed;
    await jest.advanceTimersByTimeAsync(1000);
    expect([isLive(), beats.length]).toEqual([false, 2]);
  });
});
