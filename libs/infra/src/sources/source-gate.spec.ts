import { describe, expect, it } from '@jest/globals';
import { runForCaller } from '../callers/caller.js';
import { MemorySpendLedger } from './memory-spend-ledger.js';
import { QuotaReserve } from './quota-reserve.js';
import { SourceCalls } from './source-calls.js';
import { SourceGate, type Admission } from './source-gate.js';
import { runAsWrite } from './write-work.js';

const LIMITS = { slots: 1, writeSlots: 0, sharePercent: 100, accountQueueMax: 1, queueMax: 10 };
const never = () => new Promise<never>(() => undefined);

describe('[C2] the gate of a source', () => {
  it('asks whether a request is admitted before it waits, and passes the refusal as it is', async () => {
    const asked: unknown[] = [];
    const refusal = new Error('too many');
    const admit: Admission = async (caller, kind) => {
      asked.push([caller?.subject, kind]);
      if (caller?.subject === 'greedy') throw refusal;
    };
    const gate = new SourceGate(LIMITS, admit);
    const read = () => gate.pass({ kind: 'read' }, () => Promise.resolve('sent'));
    expect(await read()).toBe('sent');
    expect(await runForCaller({ subject: 'alice', account: '1' }, () => runAsWrite(read))).toBe('sent');
    const refused = runForCaller({ subject: 'greedy', account: '2' }, read);
    expect(await refused.catch((error: unknown) => error)).toBe(refusal);
    expect(asked).toEqual([
      [undefined, 'read'],
      ['alice', 'write'],
      ['greedy', 'read'],
    ]);
  });

  it('queues by account, and by user while the account is not known', async () => {
    const gate = new SourceGate(LIMITS);
    const ask = (subject: string, account?: string) =>
      runForCaller({ subject, account }, () => gate.pass({ kind: 'read' }, never));
    void ask('alice', '1');
    void ask('alice', '1');
    await expect(ask('her husband', '1')).rejects.toMatchObject({ bound: 'account' });
    void ask('alice');
    await expect(ask('alice')).rejects.toMatchObject({ bound: 'account' });
    void gate.pass({ kind: 'read' }, never);
    void gate.pass({ kind: 'read' }, never);
  });

  it('lets the next read ask for the newest usage when the one that was to do so is not sent', async () => {
    const clock = { nowMs: 0 };
    const usage = { used: 100, limit: 100 };
    const reserve = new QuotaReserve(
      new MemorySpendLedger(),
      10,
      () => usage,
      () => clock.nowMs,
    );
    const refusal = new Error('too many');
    const admit: Admission = (caller) => (caller?.subject === 'greedy' ? Promise.reject(refusal) : Promise.resolve());
    const gate = new SourceGate(LIMITS, admit, reserve);
    const read = (subject: string, signal?: AbortSignal) =>
      runForCaller({ subject, account: '1' }, () => gate.pass({ kind: 'read', signal }, () => Promise.resolve('sent')));
    await expect(read('alice')).rejects.toMatchObject({ name: 'QuotaReservedError' });
    clock.nowMs = 60_000;
    await expect(read('greedy')).rejects.toBe(refusal);
    await expect(read('alice', AbortSignal.abort())).rejects.toMatchObject({ name: 'QueueAbortedError' });
    expect(await read('alice')).toBe('sent');
    await expect(read('alice')).rejects.toMatchObject({ name: 'QuotaReservedError' });
  });

  it('notes how the requests end that are sent, and the reads that the reserve refuses, and no other', async () => {
    const calls = new SourceCalls((error) => ({ code: (error as Error).name }));
    const usage = { used: 0, limit: 100 };
    const reserve = new QuotaReserve(new MemorySpendLedger(), 10, () => usage);
    let refusal: Error | undefined = new Error('too many');
    const admit: Admission = () => (refusal ? Promise.reject(refusal) : Promise.resolve());
    const gate = new SourceGate(LIMITS, admit, reserve, calls);
    const read = (send: () => Promise<unknown>) => gate.pass({ kind: 'read' }, send).catch(() => undefined);
    await read(() => Promise.resolve());
    expect(calls.record).toEqual({});
    refusal = undefined;
    await read(() => Promise.reject(new RangeError()));
    expect(calls.record).toEqual({ lastFailure: { at: expect.any(Number), code: 'RangeError' } });
    await read(() => Promise.resolve());
    expect(calls.record.lastSuccessAt).toBeDefined();
    usage.used = 100;
    await read(() => Promise.resolve());
    expect(calls.record.lastFailure?.code).toBe('QuotaReservedError');
  });

  it('makes a read within a write a check, which the heaviest account may make as its writes alone', async () => {
    const ledger = new MemorySpendLedger();
    for (let i = 0; i < 200; i += 1) ledger.charge('1');
    const gate = new SourceGate(LIMITS, undefined, new QuotaReserve(ledger, 10, () => ({ used: 960, limit: 1_000 })));
    const read = () => gate.pass({ kind: 'read' }, () => Promise.resolve('sent'));
    const as = <T>(account: string, work: () => T) => runForCaller({ subject: account, account }, work);
    await expect(as('1', read)).rejects.toMatchObject({ name: 'QuotaReservedError' });
    for (let i = 0; i < 4; i += 1) expect(await as('1', () => runAsWrite(read))).toBe('sent');
    await expect(as('1', () => runAsWrite(read))).rejects.toMatchObject({ name: 'QuotaReservedError' });
    const write = () => gate.pass({ kind: 'write' }, () => Promise.resolve('sent'));
    await expect(as('1', write)).rejects.toMatchObject({ name: 'QuotaReservedError' });
    expect([await as('2', () => runAsWrite(read)), await as('2', write)]).toEqual(['sent', 'sent']);
    expect(ledger.spentBy('1')).toBe(204);
  });
});
