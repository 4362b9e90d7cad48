import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { Encryption } from '../cache/encryption.js';
import { IdempotencyUnavailableError } from './idempotency.errors.js';
import type { Beginning } from './idempotency-records.js';
import { IdempotentWork, type WorkOnce } from './idempotent-work.js';
import { MemoryIdempotencyRecords } from './memory/memory-idempotency-records.js';

/** Records that can be away or lose every claim, and that show what they store. */
class WatchedRecords extends MemoryIdempotencyRecords {
  isAway = false;
  losesClaims = false;
  /** The next holds are carried out, and their replies are lost. */
  repliesLost = 0;
  /** The next releases that fail, without being carried out. */
  releasesFailing = 0;
  releases = 0;
  holds = 0;
  readonly stored: string[] = [];

  override begin(...args: Parameters<MemoryIdempotencyRecords['begin']>): Promise<Beginning> {
    return this.reply(() => super.begin(...args));
  }

  override hold(...args: Parameters<MemoryIdempotencyRecords['hold']>): Promise<boolean> {
    this.holds++;
    const held = this.reply(() => (this.losesClaims ? Promise.resolve(false) : super.hold(...args)));
    if (this.repliesLost === 0) return held;
    this.repliesLost--;
    return held.then(() => Promise.reject(new IdempotencyUnavailableError('the reply is lost')));
  }

  override answer(...args: Parameters<MemoryIdempotencyRecords['answer']>): Promise<boolean> {
    this.stored.push(args[1]);
    return this.reply(() => super.answer(...args));
  }

  override release(...args: Parameters<MemoryIdempotencyRecords['release']>): Promise<void> {
    this.releases++;
    if (this.releasesFailing === 0) return this.reply(() => super.release(...args));
    this.releasesFailing--;
    return Promise.reject(new IdempotencyUnavailableError('it fails'));
  }

  private reply<T>(work: () => Promise<T>): Promise<T> {
    return this.isAway ? Promise.reject(new IdempotencyUnavailableError('it is away')) : work();
  }
}

const KEY = { id: 'a', secret: randomBytes(32) };
let records: WatchedRecords;
let work: IdempotentWork;
let attempts: number;

beforeEach(() => {
  records = new WatchedRecords();
  work = new IdempotentWork(records, new Encryption([KEY]), { waitMs: 200 });
  attempts = 0;
  Logger.overrideLogger(false);
});
afterEach(() => {
  Logger.overrideLogger(['error']);
  jest.useRealTimers();
  return work.close();
});

/** Work that answers the number of the attempt. */
function counted(over: Partial<WorkOnce<number>> = {}): WorkOnce<number> {
  return {
    attempt: async () => ({ answer: ++attempts, isLasting: true }),
    onAbandoned: () => -1,
    ...over,
  };
}

describe('[C3] work under an idempotency key', () => {
  it('is done once for all who ask at the same time, and later', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => work.once('k', 'f', counted())));
    expect([...answers, await work.once('k', 'f', counted())]).toEqual(Array.from({ length: 21 }, () => 1));
    expect(await work.once('other', 'f', counted())).toBe(2);
  });

  it('is refused for another content', async () => {
    await work.once('k', 'f', counted());
    await expect(work.once('k', 'g', counted())).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
  });

  it('is refused with when to come back, while another request takes longer than one waits', async () => {
    let finish = (): void => undefined;
    const held = new Promise<void>((resolve) => (finish = resolve));
    const slow = work.once('k', 'f', counted({ attempt: () => held.then(() => ({ answer: 7, isLasting: true })) }));
    const { retryAfterSeconds, code } = await work.once('k', 'f', counted()).then(
      () => undefined as never,
      (error: { code: string; retryAfterSeconds: number }) => error,
    );
    expect([code, retryAfterSeconds >= 1 && retryAfterSeconds <= 5]).toEqual(['IDEMPOTENCY_KEY_IN_USE', true]);
    finish();
    expect([await slow, await work.once('k', 'f', counted())]).toEqual([7, 7]);
  });

  it('is done again after a failure, and after an answer that does not last', async () => {
    const failing = counted({ attempt: () => Promise.reject(new Error('no')) });
    await expect(work.once('k', 'f', failing)).rejects.toThrow('no');
    expect(await work.once('k', 'f', counted({ attempt: async () => ({ answer: 5, isLasting: false }) }))).toBe(5);
    expect(await work.once('k', 'g', counted())).toBe(1);
  });

  it('is kept by signs of life for longer than a lease', async () => {
    jest.useFakeTimers();
    let finish = (): void => undefined;
    const held = new Promise<void>((resolve) => (finish = resolve));
    const slow = work.once('k', 'f', counted({ attempt: () => held.then(() => ({ answer: 7, isLasting: true })) }));
    await jest.advanceTimersByTimeAsync(60_000);
    expect(await records.begin({ key: 'k', fingerprint: 'f', holder: 'another' }, 1)).toMatchObject({
      kind: 'running',
    });
    finish();
    expect(await slow).toBe(7);
    const { holds } = records;
    expect(holds).toBeGreaterThan(0);
    await jest.advanceTimersByTimeAsync(60_000);
    expect(records.holds).toBe(holds);
  });

  it('that cannot be repeated is not done again after its holder has given it up', async () => {
    const unknown = counted({
      attempt: async (claim) => {
        await claim.confirm({ canRepeat: false });
        await claim.abandon();
        throw new Error('nobody knows');
      },
    });
    await expect(work.once('k', 'f', unknown)).rejects.toThrow('nobody knows');
    expect(await work.once('k', 'f', counted())).toBe(-1);
    expect(attempts).toBe(0);
  });

  it('that may be done and can be repeated is done again, and the next attempt knows that', async () => {
    const told: boolean[] = [];
    const unknown = counted({
      attempt: async (claim) => {
        told.push(claim.mayBeDone);
        await claim.confirm({ canRepeat: true });
        if (told.length < 3) await claim.abandon();
        throw new Error('nobody knows');
      },
    });
    for (let i = 0; i < 4; i++) await expect(work.once('k', 'f', unknown)).rejects.toThrow('nobody knows');
    expect(told).toEqual([false, true, true, true]);
    const failing = counted({
      attempt: async (claim) => {
        await claim.confirm({ canRepeat: true });
        throw new Error(`may be done: ${claim.mayBeDone}`);
      },
    });
    for (let i = 0; i < 2; i++) await expect(work.once('l', 'f', failing)).rejects.toThrow('may be done: false');
  });

  it('stops before the step that cannot be undone if another holder has taken it over', async () => {
    const overtaken = counted({
      attempt: async (claim) => {
        records.losesClaims = true;
        await claim.confirm({ canRepeat: true });
        return { answer: ++attempts, isLasting: true };
      },
    });
    await expect(work.once('k', 'f', overtaken)).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_IN_USE' });
    expect(attempts).toBe(0);
  });

  it('is kept encrypted and bound to its key', async () => {
    await work.once('k', 'f', counted({ attempt: async () => ({ answer: 424_242, isLasting: true }) }));
    const [stored = ''] = records.stored;
    expect(Buffer.from(stored, 'base64').toString('latin1')).not.toContain('424242');
    expect(new Encryption([KEY]).decrypt(Buffer.from(stored, 'base64'), 'k')).toBeDefined();
    expect(new Encryption([KEY]).decrypt(Buffer.from(stored, 'base64'), 'l')).toBeUndefined();
    const other = new IdempotentWork(records, new Encryption([{ id: 'a', secret: randomBytes(32) }]));
    expect(await other.once('k', 'f', counted())).toBe(-1); // the answer cannot be read, and the work was done
  });
});

describe('[C3] work under an idempotency key while the store is away', () => {
  it('is done, and told so; what cannot be repeated stops before it begins', async () => {
    records.isAway = true;
    const away: boolean[][] = [];
    const attempt: WorkOnce<number>['attempt'] = async (claim) => {
      away.push([claim.isStoreAway, claim.mayBeDone]);
      await claim.confirm({ canRepeat: true });
      return { answer: ++attempts, isLasting: true };
    };
    expect([await work.once('k', 'f', counted({ attempt })), away]).toEqual([1, [[true, true]]]);
    const once = counted({ attempt: (claim) => claim.confirm({ canRepeat: false }).then(() => never()) });
    await expect(work.once('k', 'f', once)).rejects.toMatchObject({ code: 'IDEMPOTENCY_UNAVAILABLE' });
  });

  it('is answered although the store goes away before the answer can be stored', async () => {
    const attempt: WorkOnce<number>['attempt'] = async (claim) => {
      await claim.confirm({ canRepeat: false });
      records.isAway = true;
      return { answer: ++attempts, isLasting: true };
    };
    expect(await work.once('k', 'f', counted({ attempt }))).toBe(1);
  });
});

describe('[C3] a key under which nothing was done, while its release fails', () => {
  const refusedBefore = counted({ attempt: (claim) => claim.confirm({ canRepeat: false }).then(() => never()) });

  it('is free again once the store answers, although the reply to the confirmation was lost', async () => {
    jest.useFakeTimers();
    records.repliesLost = 1;
    records.releasesFailing = 1;
    await expect(work.once('k', 'f', refusedBefore)).rejects.toMatchObject({ code: 'IDEMPOTENCY_UNAVAILABLE' });
    await jest.advanceTimersByTimeAsync(20_000); // longer than the lease
    expect(await work.once('k', 'f', counted())).toBe(1);
    expect(records.releases).toBe(2);
  });

  it('is free again after a refusal before the step that cannot be undone', async () => {
    jest.useFakeTimers();
    records.releasesFailing = 3;
    await expect(work.once('k', 'f', refusedBefore)).rejects.toThrow('the work was done');
    await jest.advanceTimersByTimeAsync(20_000);
    expect(await work.once('k', 'f', counted())).toBe(1);
    expect(records.releases).toBe(4);
  });

  it('is free for the next request here before the release is repeated', async () => {
    jest.useFakeTimers();
    records.repliesLost = 1;
    records.releasesFailing = 7;
    await expect(work.once('k', 'f', refusedBefore)).rejects.toMatchObject({ code: 'IDEMPOTENCY_UNAVAILABLE' });
    await jest.advanceTimersByTimeAsync(17_000); // longer than the lease
    expect([records.releases, records.releasesFailing]).toEqual([7, 0]);
    expect(await work.once('k', 'f', counted())).toBe(1);
  });

  it('is asked for less and less often, for all such keys together, and until the close', async () => {
    jest.useFakeTimers();
    records.releasesFailing = Infinity;
    for (let n = 0; n < 1_100; n++) await work.once(`k${n}`, 'f', refusedBefore).catch(() => undefined);
    records.releases = 0;
    await jest.advanceTimersByTimeAsync(60_000);
    expect(records.releases).toBeGreaterThan(10);
    expect(records.releases).toBeLessThan(20);
    records.releasesFailing = 0;
    records.releases = 0;
    await work.close();
    expect(records.releases).toBe(1_000);
    await jest.advanceTimersByTimeAsync(60_000);
    expect(records.releases).toBe(1_000);
  });
});

function never(): never {
  throw new Error('the work was done');
}
