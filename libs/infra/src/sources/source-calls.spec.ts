import { beforeEach, describe, expect, it } from '@jest/globals';
import { SourceCalls, type FailureVerdict } from './source-calls.js';

/** An error that is judged as it says. */
class Judged extends Error {
  constructor(readonly verdict: FailureVerdict) {
    super('judged');
  }
}

const away = new Judged({ code: 'AWAY' });

describe('the record of the calls to a source', () => {
  let nowMs: number;
  let calls: SourceCalls;
  beforeEach(() => {
    nowMs = 10_000;
    calls = new SourceCalls(
      (error) => (error as Judged).verdict,
      () => nowMs,
    );
  });
  const fail = (verdict: FailureVerdict = away.verdict) => calls.failed(new Judged(verdict));
  const succeed = () => calls.watch(() => Promise.resolve('answer'));
  /** A source that has failed for long enough, and often enough. */
  const makeFail = () => {
    fail();
    nowMs += 5_000;
    fail();
    fail();
  };

  it('knows nothing before the first call', () => expect(calls.record).toEqual({}));

  it('settles as the call does', async () => {
    expect(await succeed()).toBe('answer');
    await expect(calls.watch(() => Promise.reject(away))).rejects.toBe(away);
  });

  it('says that a source fails after three failures in a row, the first of them 5 s ago', () => {
    fail();
    fail();
    nowMs += 5_000;
    expect(calls.record.failing).toBeUndefined();
    fail({ code: 'LIMITED' });
    const { failing, lastFailure, lastSuccessAt } = calls.record;
    expect(failing?.count).toBe(3);
    expect(lastFailure?.code).toBe('LIMITED');
    expect((lastFailure?.at as number) - (failing?.since as number)).toBe(5_000);
    expect(Math.abs((lastFailure?.at as number) - Date.now())).toBeLessThan(1_000);
    expect(lastSuccessAt).toBeUndefined();
  });

  it('does not take many failures of one moment for an outage before 5 s have passed', () => {
    for (let i = 0; i < 100; i += 1) fail();
    nowMs += 4_999;
    expect(calls.record.failing).toBeUndefined();
    nowMs += 1;
    expect(calls.record.failing?.count).toBe(100);
  });

  it.each<[string, () => unknown]>([
    ['a success', () => succeed()],
    ['a refusal that only a working source gives', () => fail('answered')],
  ])('ends the outage with %s, and begins the next one anew', async (_what, end) => {
    makeFail();
    expect(calls.record.failing).toBeDefined();
    await end();
    expect(calls.record).toEqual({
      lastSuccessAt: expect.any(Number),
      lastFailure: { at: expect.any(Number), code: 'AWAY' },
    });
    nowMs += 60_000;
    fail();
    fail();
    expect(calls.record.failing).toBeUndefined();
  });

  it('hears nothing in a failure that says nothing', () => {
    makeFail();
    const before = calls.record;
    fail('unsaid');
    expect(calls.record.failing).toEqual(before.failing);
    expect(calls.record.lastFailure?.code).toBe('AWAY');
  });

  it('stays as it is while nobody calls', () => {
    makeFail();
    nowMs += 86_400_000;
    expect(calls.record.failing?.count).toBe(3);
  });

  it('does not count calls that began before the newest success', async () => {
    const late: (() => void)[] = [];
    const begun = Array.from({ length: 5 }, () =>
      calls.watch(() => new Promise((_, reject) => late.push(() => reject(away)))).catch(() => undefined),
    );
    nowMs += 100;
    await succeed();
    for (const end of late) end();
    await Promise.all(begun);
    nowMs += 10_000;
    expect(calls.record).toMatchObject({ lastFailure: { code: 'AWAY' } });
    expect(calls.record.failing).toBeUndefined();
  });
});
