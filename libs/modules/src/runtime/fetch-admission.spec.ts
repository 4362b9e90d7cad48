import { describe, expect, it } from '@jest/globals';
import type { CallerError } from '@bff/infra/cache/cache.errors';
import type { Caller } from '@bff/infra/callers/caller';
import { Limits, type WorkClass } from '@bff/infra/limits/limits';
import { RateLimitedError } from '@bff/infra/limits/limits.errors';
import { fetchAdmission } from './fetch-admission.js';

class RecordedLimits extends Limits {
  readonly charges: unknown[] = [];

  async charge(work: WorkClass, caller: Caller | undefined): Promise<void> {
    this.charges.push([work, caller?.subject, caller?.account]);
  }
}

const USER: Caller = { subject: 'alice', account: undefined };
const CUSTOMER: Caller = { subject: 'alice', account: '1' };

describe('[C2] what a call to a source costs its customer', () => {
  it('is a fetch for a read, nothing for what a write needs, and a write for the account of a write', async () => {
    const limits = new RecordedLimits();
    const admit = fetchAdmission(limits);
    for (const caller of [USER, CUSTOMER]) {
      await admit(caller, 'read');
      await admit({ ...caller, isWriting: true }, 'write');
    }
    expect(limits.charges).toEqual([
      ['fetch', 'alice', undefined],
      ['write', 'alice', undefined],
      ['fetch', 'alice', '1'],
    ]);
  });

  it('when refused to a read is not refused to a write that waits with it, nor the reverse', () => {
    const refusal = (work: WorkClass) => new RateLimitedError(work, 1, 'alice') as unknown as CallerError;
    const [fetch, write] = [refusal('fetch'), refusal('write')];
    const writing = { ...USER, isWriting: true };
    expect([fetch.concerns(USER), fetch.concerns(writing), fetch.concerns(undefined)]).toEqual([true, false, false]);
    expect([write.concerns(USER), write.concerns(writing)]).toEqual([false, true]);
    expect(fetch.concerns({ ...USER, subject: 'bob' })).toBe(false);
  });
});
