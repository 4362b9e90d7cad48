import { beforeEach, describe, expect, it } from '@jest/globals';
import type { RedisL1 } from '../l1/redis-l1.js';
import { Partition, type Partitions } from '../partition/partition.js';
import { PartitionHistories } from '../partition/partition-histories.js';
import { ReadBatch } from './read-batch.js';
import type { RedisGuard } from '../connection/redis-guard.js';
import type { RedisConnection } from '../partition/scripts.js';

const GATE = Buffer.from('5 0 0 tip 7 -');
const GATE_BEFORE = Buffer.from('4 0 0 before 7 -');
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** An entry as `_partition.lua` packs it; its value is its own key. */
function envelope(key: string): Buffer {
  const header = Buffer.alloc(36);
  header.writeUInt8(1, 0); // live
  header.writeUIntBE(5, 8, 6); // its fetch began at clock 5
  header.writeUIntBE(7, 26, 6); // in history 7
  return Buffer.concat([header, Buffer.from(key)]);
}

/** Keeps only values whose read was requested after the last `forgetAll`, as the L1 does. */
class ForgettingL1 {
  readonly kept: string[] = [];
  readonly cache = this;
  private now = 0;

  forgetAll(): void {
    this.now++;
  }

  generation(): number {
    return this.now;
  }

  keep(key: string, generation: number): void {
    if (generation === this.now) this.kept.push(key);
  }
}

describe('ReadBatch', () => {
  /** The keys that each command requests, and functions that answer or refuse it. */
  let sent: { keys: string[]; answer: (gate?: Buffer) => void; refuse: (error: Error) => void }[];
  let reads: ReadBatch;
  let l1: ForgettingL1;
  let partition: Partition;
  /** Decides about entries that the gate alone does not prove. */
  let examine: (key: string) => Promise<undefined>;

  beforeEach(() => {
    sent = [];
    partition = new Partition('{t}', 0);
    partition.history.settle({ born: 7, clock: 5, tip: 'tip' });
    const idle = {
      redis: {} as RedisConnection,
      run: async () => Promise.reject(new Error('none')),
      tellOutage: () => 0,
    };
    const histories = new PartitionHistories(idle, {} as Partitions);
    const mgetBuffer = (...names: (string | string[])[]) =>
      new Promise<Buffer[]>((resolve, reject) => {
        const [gate, ...entries] = names.flat();
        expect(gate).toBe(partition.gateKey);
        const keys = entries.map((entry) => entry.slice(partition.entryKey('').length));
        sent.push({ keys, answer: (gate = GATE) => resolve([gate, ...keys.map(envelope)]), refuse: reject });
      });
    const guard = {
      redis: { mgetBuffer },
      ask: (command: () => Promise<unknown>, use: (reply: unknown) => unknown) => command().then(use),
    };
    l1 = new ForgettingL1();
    examine = () => Promise.resolve(undefined);
    reads = new ReadBatch(
      guard as unknown as RedisGuard,
      partition,
      (key) => examine(key),
      histories,
      l1 as unknown as RedisL1,
    );
  });

  const read = async (key: string) => (await reads.request(key).reply)?.bytes.toString();
  const answerAll = () => sent.forEach(({ answer }) => answer());

  it('sends a read at once where one follows the other', async () => {
    for (const key of ['a', 'b', 'c']) {
      const value = read(key);
      expect(sent.at(-1)?.keys).toEqual([key]);
      answerAll();
      expect(await value).toBe(key);
    }
  });

  it.each([1, 3])(
    '[A2] [invariant 18] believes nothing that shows less than was known when it was asked (%i)',
    async (count) => {
      const values = Array.from({ length: count }, (_, i) => read(`k${i}`));
      await turn();
      sent.forEach(({ answer }) => answer(GATE_BEFORE));
      for (const value of await Promise.allSettled(values)) expect(value).toMatchObject({ status: 'rejected' });
      expect(l1.kept).toEqual([]);
      await expect(read('later')).rejects.toThrow('older state'); // until the partition has been looked at
    },
  );

  it('gathers what is asked for in one turn, eight in a command', async () => {
    const keys = Array.from({ length: 12 }, (_, i) => `k${i}`);
    const values = keys.map(read);
    await turn();
    expect(sent.map((command) => command.keys.length)).toEqual([1, 8, 3]);
    answerAll();
    expect(await Promise.all(values)).toEqual(keys);

    sent = [];
    const again = keys.slice(0, 5).map(read); // the last batch had several reads, so the first one waits for others
    expect(sent).toEqual([]);
    await turn();
    expect(sent.map((command) => command.keys.length)).toEqual([5]);
    answerAll();
    expect(await Promise.all(again)).toEqual(keys.slice(0, 5));
  });

  it('[invariant 5] shares a read only until it is sent', async () => {
    const values = [read('k'), read('k'), read('k')];
    await turn();
    values.push(read('k'));
    await turn();
    expect(sent.map((command) => command.keys)).toEqual([['k'], ['k'], ['k']]); // alone, shared, too late
    answerAll();
    expect(await Promise.all(values)).toEqual(['k', 'k', 'k', 'k']);
  });

  it('is open to others only until it is sent, and while the partition may be asked', async () => {
    const [alone, open] = [reads.request('a'), reads.request('b')];
    expect([alone.isOpen, open.isOpen]).toEqual([false, true]);
    partition.doubt = 'it must be looked at first';
    expect(open.isOpen).toBe(false);
    partition.doubt = undefined;
    expect(open.isOpen).toBe(true);
    await turn();
    expect(open.isOpen).toBe(false);
    answerAll();
    await Promise.all([alone.reply, open.reply]);
  });

  it('hands to the L1 what was read, but nothing that was asked for before that forgot everything', async () => {
    const values = [read('alone'), read('b'), read('c')];
    await turn();
    expect(sent.map((command) => command.keys)).toEqual([['alone'], ['b', 'c']]);
    l1.forgetAll();
    values.push(read('waits'));
    l1.forgetAll(); // 'waits' is not kept either, although its read is sent only after this: keeping less is safe
    await turn();
    values.push(read('d'), read('e'));
    await turn();
    answerAll();
    expect(await Promise.all(values)).toEqual(['alone', 'b', 'c', 'waits', 'd', 'e']);
    expect(l1.kept).toEqual(['d', 'e']);
  });

  it('rejects those who asked when there is no answer, and goes on with the next', async () => {
    const lost = read('k');
    sent[0]?.refuse(new Error('away'));
    await expect(lost).rejects.toThrow('away');
    const found = read('k');
    await turn();
    expect(sent).toHaveLength(2);
    answerAll();
    expect(await found).toBe('k');
    void read('k');
    expect(sent).toHaveLength(3); // sent at once again
    answerAll();
  });

  it('reads many with at most 200 entries in a command', async () => {
    const keys = Array.from({ length: 450 }, (_, i) => `k${i}`);
    const parts = reads.requestMany(keys);
    await turn();
    expect(sent.map((command) => command.keys.length)).toEqual([200, 200, 50]);
    answerAll();
    const values = (await Promise.all(parts.map(({ reply }) => reply))).flat();
    expect(values.map((value) => value?.bytes.toString())).toEqual(keys);
  });

  it('a failed examination rejects a read of many, even while an earlier one has not ended', async () => {
    partition.history.settle({ born: 7, clock: 9, tip: 'tip9' });
    examine = (key) => (key === 'slow' ? new Promise(() => undefined) : Promise.reject(new Error('away')));
    const [part] = reads.requestMany(['slow', 'failing']);
    await turn();
    sent[0]?.answer(Buffer.from('9 0 9 tip9 7 -')); // entries below clock 9 are examined
    await expect(part?.reply).rejects.toThrow('away');
  });
});
