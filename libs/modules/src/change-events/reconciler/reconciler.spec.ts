import type { ChangeEvent, SourceEvent } from '@bff/integrations/salesforce/events/source-event';
import type { QueryOptions } from '@bff/integrations/salesforce/salesforce.client';
import { SalesforceError } from '@bff/integrations/salesforce/salesforce.errors';
import { toSalesforceId } from '@bff/integrations/salesforce/salesforce-id';
import type { Soql } from '@bff/integrations/salesforce/soql';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { WatchedTable } from '../reconciler.options.js';
import { Reconciler } from './reconciler.js';

const PERIOD_MS = 300_000;
const HOUR_MS = 3_600_000;
const ORDER = toSalesforceId('801000000000001');
const POSITION = '2026-11-21T10:00:00.000Z';
const row = (Id: string, second: number) => {
  const at = `2026-11-21T10:00:${String(second).padStart(2, '0')}.000+0000`;
  return { Id, IsDeleted: false, CreatedDate: '2026-01-01T00:00:00.000+0000', SystemModstamp: at };
};

/** Answers per table as the test says; records which table was queried when. */
class ScriptedOrg {
  readonly asked: { readonly table: string; readonly atMs: number }[] = [];
  readonly rows: Record<string, unknown[]> = { Order: [], Product2: [] };
  answer: (table: string, signal?: AbortSignal) => Promise<unknown> = () => Promise.resolve();

  async query<T>({ text }: Soql, { onRequest, signal }: QueryOptions = {}): Promise<T[]> {
    const table = /FROM (\w+)/.exec(text)?.[1] ?? '';
    this.asked.push({ table, atMs: performance.now() });
    onRequest?.();
    await this.answer(table, signal);
    return (this.rows[table] ?? []) as T[];
  }

  timesOf(table: string): number[] {
    return this.asked.filter((query) => query.table === table).map(({ atMs }) => atMs);
  }
}

let org: ScriptedOrg;
let applied: (readonly ChangeEvent[])[];
let lines: string[];
let reconciler: Reconciler;

beforeEach(() => {
  jest.useFakeTimers();
  org = new ScriptedOrg();
  applied = [];
  lines = [];
  reconciler = newReconciler();
});
afterEach(async () => {
  await reconciler.stop();
  jest.useRealTimers();
});

function newReconciler(options: { periodMs?: number; graceMs?: number; rowsMax?: number } = {}): Reconciler {
  return new Reconciler({
    tables: [watched('Order', '/data/OrderChangeEvent'), watched('Product2', '/data/Product2ChangeEvent')],
    salesforce: org,
    positions: { load: () => Promise.resolve(POSITION), save: () => Promise.resolve() },
    log: (level, text) => lines.push(`${level} ${text}`),
    periodMs: PERIOD_MS,
    ...options,
  });
}

function watched(table: string, topic: string): WatchedTable {
  return { table, topic, apply: (events) => Promise.resolve(void applied.push(events)) };
}

const elapse = (ms: number) => jest.advanceTimersByTimeAsync(ms);
const refuse = (code: ConstructorParameters<typeof SalesforceError>[0]) => {
  org.answer = (table) => (table === 'Order' ? Promise.reject(new SalesforceError(code, 'no')) : Promise.resolve());
};

describe('the reconciler', () => {
  it('looks at every table at once, and then so often that a loss is repaired within the period', async () => {
    reconciler.start();
    await elapse(0);
    expect(org.asked.map(({ table }) => table)).toEqual(['Order', 'Product2']);
    const before = performance.now();
    org.rows['Order'] = [row(ORDER, 5)];
    await elapse(PERIOD_MS);
    expect(applied).toEqual([[expect.objectContaining({ changeType: 'GAP_UPDATE', recordIds: [ORDER] })]]);
    expect(reconciler.report()).toMatchObject({ missed: 1, rechecked: 0, apiCalls: 4, failures: 0, isRunning: true });
    expect(performance.now() - before).toBe(PERIOD_MS);
  });

  it('hands on nothing that it heard of', async () => {
    reconciler.start();
    await elapse(0);
    org.rows['Order'] = [row(ORDER, 5)];
    const heard = { entityName: 'Order', recordIds: [ORDER], commitTimestamp: Date.parse('2026-11-21T10:00:05Z') };
    reconciler.heard([{ kind: 'change', scope: 'records', changeType: 'UPDATE', ...heard } as unknown as SourceEvent]);
    await elapse(PERIOD_MS);
    expect(applied).toEqual([]);
  });

  it('asks no more once it was stopped, not even for what it was waiting for', async () => {
    reconciler.start();
    await elapse(0);
    org.answer = (_table, signal) =>
      new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(new Error('given up'))));
    await elapse(PERIOD_MS);
    await reconciler.stop();
    const asked = org.asked.length;
    await elapse(HOUR_MS);
    expect(org.asked).toHaveLength(asked);
    expect(reconciler.report()).toMatchObject({ isRunning: false, failures: 0 });
    expect(lines).toEqual([]);
  });

  it('goes on counting when it is started again, and takes what happened in between for unheard', async () => {
    reconciler.start();
    expect(() => reconciler.start()).toThrow('stop it first');
    await elapse(0);
    org.rows['Order'] = [row(ORDER, 5)];
    await elapse(PERIOD_MS);
    await reconciler.stop();
    org.rows['Order'] = [row(ORDER, 9)];
    reconciler.start();
    await elapse(PERIOD_MS);
    expect(reconciler.report()).toMatchObject({ missed: 1, rechecked: 1 });
    expect(applied).toHaveLength(2);
  });

  it('can be stopped before it was started, and twice', async () => {
    await reconciler.stop();
    await reconciler.stop();
    expect(reconciler.report()).toMatchObject({ isRunning: false, lastRunAt: undefined });
  });

  it('blames a topic’s gap, or an event of it that cannot be read, for what it finds there and nowhere else', async () => {
    reconciler.start();
    await elapse(0);
    reconciler.heard([{ kind: 'undecodable', topic: '/data/OrderChangeEvent', replayId: '1', reason: 'cut off' }]);
    org.rows['Order'] = [row(ORDER, 5)];
    org.rows['Product2'] = [row(toSalesforceId('01t000000000001'), 5)];
    await elapse(PERIOD_MS);
    const { tables } = reconciler.report();
    expect(tables.map(({ table, missed, rechecked }) => [table, missed, rechecked])).toEqual([
      ['Order', 0, 1],
      ['Product2', 1, 0],
    ]);
  });

  it.each([{ periodMs: 50 }, { graceMs: PERIOD_MS }, { rowsMax: 0 }, { rowsMax: 1.5 }])('refuses %j', (options) => {
    expect(() => newReconciler(options)).toThrow(RangeError);
  });
});

describe('a reconciler that is refused', () => {
  it.each(['SALESFORCE_LIMIT_EXCEEDED', 'SALESFORCE_FORBIDDEN', 'SALESFORCE_BAD_REQUEST'] as const)(
    'by %s asks at ever longer intervals, up to an hour, says so once, and goes on with the other tables',
    async (code) => {
      refuse(code);
      reconciler.start();
      await elapse(12 * HOUR_MS);
      const times = org.timesOf('Order');
      expect(times.length).toBeLessThan(30);
      const last = times.at(-1)! - times.at(-2)!;
      expect(last).toBeGreaterThanOrEqual(HOUR_MS / 2);
      expect(last).toBeLessThanOrEqual(HOUR_MS);
      expect(org.timesOf('Product2').length).toBeGreaterThan(140);
      expect(lines).toEqual(['warn Order: could not look for unannounced changes: no; trying again until it works']);
      const { lastRunAt, failures, tables } = reconciler.report();
      expect(failures).toBe(times.length);
      expect(lastRunAt).toBeUndefined();
      expect(tables[0]).toMatchObject({ table: 'Order', lastError: 'no', runs: 0 });
      expect(tables[1]).toMatchObject({ table: 'Product2', failures: 0, lastError: undefined });
    },
  );

  it('finds what happened meanwhile as soon as it may ask again', async () => {
    reconciler.start();
    await elapse(0);
    refuse('SALESFORCE_LIMIT_EXCEEDED');
    await elapse(2 * HOUR_MS);
    org.rows['Order'] = [row(ORDER, 5)];
    org.answer = () => Promise.resolve();
    await elapse(HOUR_MS + PERIOD_MS);
    expect(applied).toHaveLength(1);
    expect(lines.at(-1)).toBe('info Order: unannounced changes are looked for again');
    expect(reconciler.report()).toMatchObject({ missed: 1, failures: 0, lastRunAt: expect.any(Number) });
  });

  it('by what passes by itself tries again soon', async () => {
    refuse('SALESFORCE_UNAVAILABLE');
    reconciler.start();
    await elapse(5_000);
    expect(org.timesOf('Order').length).toBeGreaterThanOrEqual(3);
    await elapse(12 * HOUR_MS);
    const times = org.timesOf('Order');
    expect(times.at(-1)! - times.at(-2)!).toBeLessThanOrEqual(PERIOD_MS);
  });
});
