import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Redis } from 'ioredis';
import { PrimaryVouch, type OnSplit } from './primary-vouch.js';
import { Topology, type Receiver, type Testimony, type Word } from './vouching/topology.js';

const WITNESSES = 3;
const VOUCH_MS = 1000;

/** A connection to a witness; ready from the start. */
class ReadyConnection extends EventEmitter {
  status = 'ready';
  constructor(readonly index: number) {
    super();
  }
  disconnect(): void {
    this.status = 'end';
  }
}

/** Three witnesses that answer as the test sets them; undefined: no answer. */
class ScriptedTopology extends Topology {
  readonly witnessName = 'Sentinels';
  readonly places = 1;
  readonly words: (Partial<Word> | undefined)[] = Array.from({ length: WITNESSES }, () => ({}));
  needed = 2;
  asked = 0;
  left = 0;
  connection: Receiver | undefined = { primary: 'D', server: 'd' };
  lose: () => void = () => undefined;

  witnesses() {
    return this.words.map((_, index) => ({ host: 'w', port: index }));
  }

  connect({ port }: { readonly port: number }): Redis {
    return new ReadyConnection(port) as unknown as Redis;
  }

  ask(redis: Redis): Promise<Testimony> {
    const { index } = redis as unknown as ReadyConnection;
    this.asked++;
    const word = this.words[index];
    if (!word) return Promise.reject(new Error('away'));
    const full = { primary: 'D', epoch: 1, isFine: true, isReplacing: false, ...word };
    return Promise.resolve({ witness: `w${index}`, isVoter: true, needed: this.needed, words: [full] });
  }

  receiver(): Receiver | undefined {
    return this.connection;
  }

  serverOf(): () => unknown {
    return () => this.connection?.server;
  }

  leave(): boolean {
    this.left++;
    return true;
  }

  watch(lost: () => void): () => void {
    this.lose = lost;
    return () => undefined;
  }
}

let topology: ScriptedTopology;
let vouch: PrimaryVouch;
let isAway: boolean;
let losses: number;
let stoodMs: number;

beforeEach(() => {
  jest.useFakeTimers();
  stoodMs = 0;
  const now = performance.now.bind(performance);
  jest.spyOn(performance, 'now').mockImplementation(() => now() + stoodMs);
  topology = new ScriptedTopology();
  isAway = false;
  losses = 0;
});
afterEach(() => {
  vouch.close();
  jest.restoreAllMocks();
  jest.useRealTimers();
});

async function open(onSplit: OnSplit): Promise<void> {
  vouch = new PrimaryVouch(topology, { onSplit, vouchMs: VOUCH_MS, isAway: () => isAway, onLost: () => losses++ });
  const opened = vouch.open();
  await pass(10);
  void opened;
}

const pass = (ms: number) => jest.advanceTimersByTimeAsync(ms);
const holds = () => vouch.trustOf(0).holds();
/** Time passes and no timer runs, as in a stopped process. */
const standStill = (ms: number) => void (stoodMs += ms);

describe('a single server', () => {
  it('is always trusted', async () => {
    vouch = new PrimaryVouch(undefined, { onSplit: 'refuse', vouchMs: 1, isAway: () => true, onLost: () => undefined });
    await vouch.open();
    vouch.doubt();
    expect([holds(), vouch.reason, vouch.isNeeded]).toEqual([true, undefined, false]);
    expect(await vouch.confirmed(0, 'd')).toBeUndefined();
  });
});

describe.each(['serve', 'refuse'] as const)('onSplit: %s', (onSplit) => {
  it('trusts nobody before enough have spoken', async () => {
    topology.words.fill(undefined);
    await open(onSplit);
    expect(holds()).toBe(false);
    topology.words.fill({}, 0, 1);
    await pass(250);
    expect(holds()).toBe(false);
    topology.words.fill({}, 0, 2);
    await pass(250);
    expect([holds(), vouch.reason]).toEqual([true, undefined]);
  });

  it('[T2] lets the client look anew while nobody knows to whom it sends', async () => {
    await open(onSplit);
    topology.connection = undefined;
    const leftBefore = topology.left;
    await pass(1_100);
    expect([holds(), topology.left - leftBefore]).toEqual([false, 2]);
    topology.connection = { primary: 'D', server: 'd' };
    await pass(2_000);
    expect([holds(), topology.left - leftBefore]).toEqual([true, 2]);
  });

  it('goes on as long as they do', async () => {
    await open(onSplit);
    for (let i = 0; i < 40; i++) {
      await pass(100);
      expect(holds()).toBe(true);
    }
    expect(losses).toBe(0);
  });

  it('believes the newest configuration, from any node, and leaves', async () => {
    await open(onSplit);
    topology.words[2] = { primary: 'N', epoch: 2 };
    await pass(250);
    expect([holds(), topology.left, losses]).toEqual([false, 1, 1]);
    expect(vouch.reason).toMatch(/name another primary/);
    topology.words[2] = undefined; // its last answer still counts
    await pass(3000);
    expect(holds()).toBe(false);
    topology.lose();
    topology.connection = { primary: 'N', server: undefined };
    topology.words.fill({ primary: 'N', epoch: 2 }, 0, 2);
    await pass(250);
    expect(holds()).toBe(true);
  });

  it('stops while a witness replaces the primary', async () => {
    await open(onSplit);
    topology.words[0] = { isFine: false, isReplacing: true };
    await pass(250);
    expect([holds(), losses]).toEqual([false, 1]);
  });

  it('asks anew after a connection was lost', async () => {
    await open(onSplit);
    topology.connection = undefined;
    topology.words.fill(undefined);
    topology.lose();
    expect(holds()).toBe(false);
    topology.connection = { primary: 'D', server: undefined };
    await pass(500);
    expect(holds()).toBe(false);
  });

  it('is not trusted by a process that stood still, until it has asked', async () => {
    await open(onSplit);
    topology.words.fill(undefined);
    const before = topology.asked;
    standStill(2000);
    expect(holds()).toBe(false);
    await pass(250);
    expect(topology.asked).toBeGreaterThan(before);
    expect(holds()).toBe(false);
  });
});

describe('onSplit: refuse', () => {
  it('ends a vouch a second after it was asked for', async () => {
    await open('refuse');
    topology.words.fill(undefined);
    const end = vouch.leaseEndOf(0);
    expect(end - performance.now()).toBeLessThanOrEqual(VOUCH_MS - 8);
    await pass(end - performance.now() - 1);
    expect(holds()).toBe(true);
    await pass(1);
    expect(holds()).toBe(false);
    await pass(250);
    expect(losses).toBe(1);
    expect(vouch.reason).toMatch(/0 of the 2 Sentinels that are needed.*w:0: away.*onSplit: refuse/);
  });

  it('does not count who finds the primary down', async () => {
    topology.words.fill({ isFine: false }, 0, 2);
    await open('refuse');
    await pass(2000);
    expect(holds()).toBe(false);
  });

  it('confirms what was carried out before it asked, and nothing else', async () => {
    await open('refuse');
    const first = vouch.confirmed(0, 'd');
    await pass(10);
    expect(await first).toBeUndefined();
    topology.words.fill(undefined, 0, 2);
    const confirmed = vouch.confirmed(0, 'd'); // the vouch still holds, but a confirmation needs new words
    await pass(1100);
    expect(await confirmed).toMatch(/onSplit: refuse/);
  });

  it('[T5] confirms nothing by a word for another server, to which the client has turned meanwhile', async () => {
    await open('refuse');
    topology.words.fill(undefined);
    const carriedOut = vouch.confirmed(0, 'd');
    await pass(100);
    topology.connection = { primary: 'N', server: 'n' };
    vouch.doubt();
    topology.words.fill({ primary: 'N', epoch: 2 });
    await pass(1_500);
    expect(await carriedOut).toMatch(/turned to another server/);
    expect([holds(), vouch.trustOf(0).holdsFor('n'), vouch.trustOf(0).holdsFor('d')]).toEqual([true, true, false]);
    expect(await vouch.confirmed(0, 'd')).toMatch(/turned to another server/);
  });

  it('lets nobody wait for long where there is no hope', async () => {
    topology.words.fill(undefined);
    await open('refuse');
    await pass(1500);
    const confirmed = vouch.confirmed(0, 'd');
    await pass(400);
    expect(await confirmed).toBeDefined();
  });
});

describe('onSplit: serve', () => {
  it('goes on without anybody', async () => {
    await open('serve');
    topology.words.fill(undefined);
    for (let i = 0; i < 40; i++) {
      await pass(100);
      expect(holds()).toBe(true);
    }
    expect(vouch.leaseEndOf(0)).toBe(Infinity);
    expect(await vouch.confirmed(0, 'd')).toBeUndefined();
  });

  it('waits a second for enough of them after a doubt, then serves unless somebody names another', async () => {
    await open('serve');
    topology.words.fill(undefined, 1);
    vouch.doubt();
    await pass(900);
    expect(holds()).toBe(false);
    await pass(500);
    expect(holds()).toBe(true);
    topology.words[0] = { primary: 'N', epoch: 2 };
    vouch.doubt();
    await pass(5000);
    expect(holds()).toBe(false);
  });

  it('does not count what was confirmed while the server did not answer', async () => {
    await open('serve');
    isAway = true;
    vouch.doubt();
    await pass(5000);
    expect(holds()).toBe(false);
    topology.words.fill(undefined);
    await pass(250);
    isAway = false;
    await pass(500);
    expect(holds()).toBe(false);
    await pass(1000);
    expect(holds()).toBe(true);
  });
});
