import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { FairQueue, type FairQueueLimits, type RequestKind } from './fair-queue.js';
import { Chain } from './queue/chain.js';
import { QueueAbortedError, QueueFullError } from './fair-queue.errors.js';

type Account = string | undefined;

interface Request {
  readonly account: Account;
  readonly kind: RequestKind;
  readonly abort: () => void;
  end: (() => void) | undefined;
  outcome: 'waiting' | 'running' | 'done' | Error;
}

const LIMITS: FairQueueLimits = { slots: 10, writeSlots: 1, sharePercent: 50, accountQueueMax: 50, queueMax: 200 };

/** A queue whose requests run until the test ends them. */
class Stage {
  nowMs = 0;
  readonly requests: Request[] = [];
  /** The accounts of the requests in the order in which they were sent. */
  readonly sent: string[] = [];
  readonly queue: FairQueue;

  constructor(readonly limits: FairQueueLimits) {
    this.queue = new FairQueue(limits, () => this.nowMs);
  }

  ask(account: Account, kind: RequestKind = 'read'): Request {
    const aborting = new AbortController();
    const request: Request = {
      account,
      kind,
      abort: () => aborting.abort(new Error('no longer needed')),
      end: undefined,
      outcome: 'waiting',
    };
    this.requests.push(request);
    const work = () => {
      request.outcome = 'running';
      this.sent.push(`${account ?? 'own'}${kind === 'write' ? '!' : ''}`);
      return new Promise<void>((resolve) => (request.end = resolve));
    };
    this.queue.run({ account, kind, signal: aborting.signal }, work).then(
      () => (request.outcome = 'done'),
      (error: Error) => (request.outcome = error),
    );
    return request;
  }

  async askMany(account: Account, count: number, kind?: RequestKind): Promise<Request[]> {
    const requests = Array.from({ length: count }, () => this.ask(account, kind));
    await nextTurn();
    return requests;
  }

  async endOne(account?: Account): Promise<void> {
    const request = this.running().find((each) => account === undefined || each.account === account);
    this.requests.splice(this.requests.indexOf(request as Request), 1);
    request?.end?.();
    await nextTurn();
  }

  running(account?: Account): Request[] {
    return this.of('running', account);
  }

  waiting(account?: Account): Request[] {
    return this.of('waiting', account);
  }

  private of(outcome: string, account: Account): Request[] {
    return this.requests.filter((each) => each.outcome === outcome && (account ?? each.account) === each.account);
  }
}

const stage = (limits: Partial<FairQueueLimits> = {}) => new Stage({ ...LIMITS, ...limits });

describe('[C2] the turns', () => {
  it('give an account that is alone every slot but the one of the writes', async () => {
    const queue = stage();
    await queue.askMany('a', 30);
    expect(queue.running()).toHaveLength(9);
    await queue.askMany('b', 1);
    expect(queue.waiting('b')).toHaveLength(1);
    await queue.askMany('b', 1, 'write');
    expect(queue.sent.at(-1)).toBe('b!');
  });

  it('give the next free slot to another account, however many requests the first one has', async () => {
    const queue = stage();
    await queue.askMany('a', 50);
    await queue.askMany('b', 2);
    await queue.endOne('a');
    await queue.endOne('a');
    expect(queue.sent.slice(9)).toEqual(['b', 'b']);
  });

  it('leave an account no more than its share while there are others', async () => {
    const queue = stage();
    await queue.askMany('b', 1);
    await queue.askMany('a', 40);
    expect(queue.running('a')).toHaveLength(5);
    await queue.askMany('c', 40);
    expect([queue.running('a').length, queue.running('b').length, queue.running('c').length]).toEqual([5, 1, 3]);
    for (let i = 0; i < 30; i += 1) {
      await queue.endOne('a');
      expect(queue.running('a').length).toBeLessThanOrEqual(5);
    }
  });

  it('keep the slot of an account that pauses for less than a second between two requests', async () => {
    const queue = stage();
    await queue.askMany('b', 1);
    await queue.askMany('a', 50);
    await queue.endOne('b');
    expect(queue.running('a')).toHaveLength(5);
    queue.nowMs = 999;
    await queue.askMany('b', 1);
    expect(queue.running('b')).toHaveLength(1);
    await queue.endOne('b');
    queue.nowMs = 1_998;
    await queue.endOne('a');
    expect(queue.running('a')).toHaveLength(5);
    queue.nowMs = 1_999;
    await queue.endOne('a');
    expect(queue.running('a')).toHaveLength(9); // now it counts as alone
  });

  it('go round', async () => {
    const queue = stage({ slots: 1, writeSlots: 0 });
    await queue.askMany('a', 4);
    await queue.askMany('b', 3);
    await queue.askMany('c', 2);
    for (let i = 0; i < 9; i += 1) await queue.endOne();
    expect(queue.sent).toEqual(['a', 'b', 'c', 'a', 'b', 'c', 'a', 'b', 'a']);
    expect(queue.queue.state).toEqual({ running: 0, waiting: 0, accounts: 0 });
  });

  it('send the writes of an account before its reads', async () => {
    const queue = stage({ slots: 1, writeSlots: 0 });
    await queue.askMany('a', 3);
    await queue.askMany('a', 2, 'write');
    for (let i = 0; i < 5; i += 1) await queue.endOne();
    expect(queue.sent).toEqual(['a', 'a!', 'a!', 'a', 'a']);
  });

  it('go on after work that fails or throws', async () => {
    const { queue } = stage({ slots: 1, writeSlots: 0 });
    const failing = (work: () => Promise<void>) => queue.run({ account: 'a', kind: 'read' }, work);
    await expect(failing(() => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
    const thrown = failing(() => {
      throw new Error('thrown');
    });
    await expect(thrown).rejects.toThrow('thrown');
    expect(queue.state).toEqual({ running: 0, waiting: 0, accounts: 0 });
  });
});

describe('[C2] the process itself', () => {
  it('has a fifth of the slots when accounts have asked for all of them, and no more', async () => {
    const queue = stage({ writeSlots: 0 });
    for (const account of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j']) await queue.askMany(account, 10);
    await queue.askMany(undefined, 20);
    await queue.endOne();
    await queue.endOne();
    expect(queue.sent.slice(10)).toEqual(['own', 'own']);
    await queue.endOne('a');
    await queue.endOne('b');
    expect(queue.sent.slice(12)).not.toContain('own');
  });

  it('does not stop an account where reads have a single slot', async () => {
    const queue = stage({ slots: 2, writeSlots: 1 });
    await queue.askMany(undefined, 10);
    await queue.askMany('a', 2);
    for (let i = 0; i < 4; i += 1) await queue.endOne();
    expect(queue.sent.slice(1, 5)).toEqual(['a', 'own', 'a', 'own']);
  });

  it('has no bound of one account', async () => {
    const queue = stage();
    await queue.askMany(undefined, 209);
    expect([queue.running().length, queue.waiting().length]).toEqual([9, 200]);
    expect((await queue.askMany(undefined, 1))[0]?.outcome).toBeInstanceOf(QueueFullError);
  });
});

describe('[C2] the bounds', () => {
  it('refuse the request beyond that of its account, and say whose bound it is', async () => {
    const queue = stage();
    const last = (await queue.askMany('a', 60)).at(-1);
    expect(queue.waiting('a')).toHaveLength(50);
    expect(last?.outcome).toMatchObject({ bound: 'account', message: expect.stringContaining('of the same account') });
    expect((await queue.askMany('b', 1))[0]?.outcome).toBe('waiting');
  });

  it('give the place of the newest read of an account to its write', async () => {
    const queue = stage({ slots: 9, writeSlots: 0 });
    const reads = await queue.askMany('a', 59);
    const [write] = await queue.askMany('a', 1, 'write');
    expect([write?.outcome, reads.at(-1)?.outcome]).toEqual(['waiting', expect.any(QueueFullError)]);
    const writes = await queue.askMany('a', 50, 'write');
    expect(writes.filter(({ outcome }) => outcome === 'waiting')).toHaveLength(49); // all reads have given way
    expect(writes.at(-1)?.outcome).toMatchObject({ bound: 'account' });
  });

  it('let the longest queue make room for an account with a shorter one', async () => {
    const queue = stage({ queueMax: 60 });
    const [a, b] = [await queue.askMany('a', 49), await queue.askMany('b', 20)];
    expect(queue.waiting()).toHaveLength(60);
    const [newcomer] = await queue.askMany('c', 1);
    expect(newcomer?.outcome).toBe('waiting');
    expect(a.at(-1)?.outcome).toMatchObject({ bound: 'all', message: expect.stringContaining('of all accounts') });
    expect(b.at(-1)?.outcome).toBe('waiting');
    expect((await queue.askMany('a', 1))[0]?.outcome).toMatchObject({ bound: 'all' }); // its own queue is the longest
  });

  it('may be zero: then nothing waits', async () => {
    const queue = stage({ queueMax: 0 });
    const requests = await queue.askMany('a', 10);
    expect(requests.map(({ outcome }) => outcome)).toEqual([...Array(9).fill('running'), expect.any(QueueFullError)]);
  });
});

describe('[C2] a request that is given up', () => {
  it('leaves the queue at once, and makes room', async () => {
    const queue = stage();
    const requests = await queue.askMany('a', 59);
    requests[30]?.abort();
    await nextTurn();
    expect(requests[30]?.outcome).toBeInstanceOf(QueueAbortedError);
    expect(requests[30]?.outcome).toMatchObject({ cause: { message: 'no longer needed' } });
    expect(queue.queue.state.waiting).toBe(49);
    expect((await queue.askMany('a', 1))[0]?.outcome).toBe('waiting');
    for (let i = 0; i < 59; i += 1) await queue.endOne();
    expect(queue.sent).toHaveLength(59);
    expect(queue.queue.state.accounts).toBe(0);
  });

  it('is not queued if it is given up before', async () => {
    const { queue } = stage();
    const call = queue.run({ account: 'a', kind: 'read', signal: AbortSignal.abort() }, () => Promise.resolve());
    await expect(call).rejects.toBeInstanceOf(QueueAbortedError);
    expect(queue.state.accounts).toBe(0);
  });

  it('keeps its slot while it is under way', async () => {
    const queue = stage();
    const [request] = await queue.askMany('a', 1);
    request?.abort();
    await nextTurn();
    expect(queue.queue.state.running).toBe(1);
  });
});

describe('[C2] any sequence of requests', () => {
  afterEach(() => void jest.restoreAllMocks());

  const account = fc.constantFrom<Account>('a', 'b', 'c', 'd', undefined);
  const step = fc.oneof(
    fc.record({
      do: fc.constant('ask' as const),
      account,
      kind: fc.constantFrom<RequestKind>('read', 'read', 'write'),
    }),
    fc.record({ do: fc.constant('end' as const), at: fc.nat() }),
    fc.record({ do: fc.constant('abort' as const), at: fc.nat() }),
    fc.record({ do: fc.constant('pause' as const), ms: fc.integer({ min: 0, max: 1_500 }) }),
  );
  const limits = fc.record({
    slots: fc.integer({ min: 1, max: 6 }),
    writeSlots: fc.integer({ min: 0, max: 2 }),
    sharePercent: fc.integer({ min: 1, max: 100 }),
    accountQueueMax: fc.integer({ min: 0, max: 5 }),
    queueMax: fc.integer({ min: 0, max: 10 }),
  });

  it('stays within all bounds, leaves no slot idle that an account may have, and ends every request', async () => {
    await fc.assert(
      fc.asyncProperty(limits, fc.array(step, { maxLength: 60 }), async (given, steps) => {
        const queue = new Stage(given);
        const readSlots = Math.max(1, given.slots - given.writeSlots);
        const share = Math.max(1, Math.floor((given.slots * given.sharePercent) / 100));
        const holds = () => {
          const [running, waiting] = [queue.running(), queue.waiting()];
          const runningReads = running.filter(({ kind }) => kind === 'read').length;
          expect(queue.queue.state).toMatchObject({ running: running.length, waiting: waiting.length });
          expect(running.length).toBeLessThanOrEqual(given.slots);
          expect(runningReads).toBeLessThanOrEqual(readSlots);
          expect(waiting.length).toBeLessThanOrEqual(given.queueMax);
          for (const each of new Set(waiting.map((request) => request.account))) {
            const isOf = (request: Request): boolean => request.account === each;
            const own = waiting.filter(isOf);
            if (each !== undefined) expect(own.length).toBeLessThanOrEqual(given.accountQueueMax);
            const isBelowShare = running.filter(isOf).length < share;
            const maySend = runningReads < readSlots || own.some(({ kind }) => kind === 'write');
            expect(running.length < given.slots && isBelowShare && maySend).toBe(false);
          }
          expect(queue.queue.state.accounts).toBe(new Set([...running, ...waiting].map((each) => each.account)).size);
        };
        for (const each of steps) {
          const from = each.do === 'end' ? queue.running() : queue.waiting();
          const request = 'at' in each ? from[each.at % from.length] : undefined;
          if (each.do === 'ask') queue.ask(each.account, each.kind);
          if (each.do === 'pause') queue.nowMs += each.ms;
          if (each.do === 'abort') request?.abort();
          if (each.do === 'end') request?.end?.();
          await nextTurn();
          holds();
        }
        while (queue.running().length > 0) await queue.endOne();
        expect(queue.queue.state).toEqual({ running: 0, waiting: 0, accounts: 0 });
        expect(queue.waiting()).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  it('lets no account wait for more than one turn of each other account', async () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    const counts = fc.array(fc.tuple(fc.constantFrom(...names), fc.integer({ min: 1, max: 30 })), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 4 }), counts, async (slots, asked) => {
        const queue = stage({ slots, writeSlots: 0, sharePercent: 100, accountQueueMax: 1_000, queueMax: 10_000 });
        for (const [name, count] of asked) await queue.askMany(name, count);
        await queue.askMany('late', 3);
        while (queue.waiting('late').length > 0) {
          const before = queue.sent.length;
          const left = queue.waiting('late').length;
          while (queue.waiting('late').length === left) await queue.endOne();
          const others = queue.sent.slice(before, -1);
          expect(new Set(others).size).toBe(others.length);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('costs the same, however many requests wait', async () => {
    const costWith = async (waiting: number): Promise<number[]> => {
      const queue = stage({ accountQueueMax: 100_000, queueMax: 100_000 });
      for (let i = 0; i < 100; i += 1) await queue.askMany(`account ${i}`, waiting / 100);
      await queue.askMany('b', 3);
      const moves = [jest.spyOn(Chain.prototype, 'append'), jest.spyOn(Chain.prototype, 'remove')] as const;
      const cost = async (work: () => Promise<unknown>) => {
        await work();
        const count = moves[0].mock.calls.length + moves[1].mock.calls.length;
        moves.forEach((move) => move.mockClear());
        return count;
      };
      const costs = [
        await cost(() => queue.askMany('b', 1)),
        await cost(() => queue.endOne()),
        await cost(async () => queue.waiting('b').at(1)?.abort()),
      ];
      jest.restoreAllMocks();
      return costs;
    };
    const few = await costWith(2_000);
    expect(Math.max(...few)).toBeLessThan(40);
    expect(await costWith(20_000)).toEqual(few);
  });
});
