import type { ChangeEvent } from '@bff/integrations/salesforce/events/source-event';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { orderId as id, RowsOfAnOrg, T0 } from '../../../../../test/support/rows-of-an-org.js';
import { Announced } from '../consuming/announced.js';
import { ReconciledTable, type TableCounters } from './reconciled-table.js';
import { resolveReconcilerOptions } from '../reconciler.options.js';

const GRACE_MS = 10_000;
const OVERLAP_MS = 660_000;
const ROWS_MAX = 5;
const TOPIC = '/data/OrderChangeEvent';

let org: RowsOfAnOrg;
let announced: Announced;
let saved: Map<string, string>;
let applied: ChangeEvent[];
let counters: TableCounters;
let isCaughtUp: boolean;
let failure: Error | undefined;
let stopping: AbortController;
let table: ReconciledTable;
const lines: string[] = [];

/** The table of a process that has just become the active one: it has heard nothing and knows the saved positions. */
function newTable({
  recordsMax = 100,
  graceMs = GRACE_MS,
  listFields = [],
}: { recordsMax?: number; graceMs?: number; listFields?: string[] } = {}): ReconciledTable {
  announced = new Announced(recordsMax);
  const options = resolveReconcilerOptions({
    tables: [],
    salesforce: org,
    positions: {
      load: (name) => Promise.resolve(saved.get(name)),
      save: (name, position) => Promise.resolve(void saved.set(name, position)),
    },
    periodMs: 300_000,
    rowsMax: ROWS_MAX,
    recordsMax,
    graceMs,
    log: (level, text) => lines.push(`${level} ${text}`),
  });
  const watched = {
    table: 'Order',
    topic: TOPIC,
    listFields,
    isCaughtUp: () => isCaughtUp,
    apply: (events: readonly ChangeEvent[]) => {
      if (failure) return Promise.reject(failure);
      applied.push(...events);
      return Promise.resolve();
    },
  };
  return new ReconciledTable(watched, counters, announced, options);
}

beforeEach(async () => {
  jest.useFakeTimers();
  org = new RowsOfAnOrg();
  saved = new Map();
  applied = [];
  lines.length = 0;
  counters = { runs: 0, lastRunAt: undefined, apiCalls: 0, missed: 0, rechecked: 0, wholeTables: 0 };
  isCaughtUp = true;
  failure = undefined;
  stopping = new AbortController();
  for (const n of [1, 2, 3]) org.write(n, { at: T0 - 3_600_000 });
  table = newTable();
  await run();
  elapse(1_000);
});
afterEach(() => void jest.useRealTimers());

async function run(duringGrace: () => void = () => undefined): Promise<void> {
  const running = table.run(stopping.signal);
  running.catch(() => undefined);
  await jest.advanceTimersByTimeAsync(GRACE_MS / 2);
  duringGrace();
  await jest.advanceTimersByTimeAsync(GRACE_MS / 2);
  org.nowMs += GRACE_MS;
  await running;
}

function elapse(ms: number): void {
  jest.advanceTimersByTime(ms);
  org.nowMs += ms;
}

function hear(n: number, given: Partial<ChangeEvent> = {}): void {
  const commitTimestamp = Math.floor(org.nowMs / 1_000) * 1_000;
  const events = [{ ...gap('UPDATE', n), replayId: '1', transactionKey: 't', commitTimestamp, ...given }];
  announced.heard(events);
  table.heard(events);
}

function gap(changeType: ChangeEvent['changeType'], ...rows: number[]): ChangeEvent {
  return {
    kind: 'change',
    topic: TOPIC,
    replayId: expect.stringMatching(/^reconciler/) as unknown as string,
    entityName: 'Order',
    recordIds: rows.map(id),
    scope: changeType === 'GAP_OVERFLOW' ? 'entity' : 'records',
    changeType,
    changedFields: undefined,
    commitTimestamp: expect.any(Number) as unknown as number,
    transactionKey: 'reconciler',
    sequenceNumber: 0,
    fields: {},
  };
}

const position = () => saved.get('Order');

describe('what a run hands on', () => {
  it('is nothing where every change was announced', async () => {
    org.write(1);
    hear(1);
    org.write(4);
    hear(4, { changeType: 'CREATE' });
    org.write(2, { isDeleted: true });
    hear(2, { changeType: 'DELETE' });
    await run();
    expect(applied).toEqual([]);
    expect(counters).toMatchObject({ missed: 0, rechecked: 0, runs: 2 });
  });

  it('is a change that no event announced, once, and it says which', async () => {
    org.write(1);
    org.write(2);
    hear(2);
    await run();
    expect(applied).toEqual([gap('GAP_UPDATE', 1)]);
    elapse(300_000);
    await run();
    expect(applied).toHaveLength(1);
    expect(counters).toMatchObject({ missed: 1, rechecked: 0 });
    expect(lines).toEqual([expect.stringMatching(new RegExp(`^warn Order: 1 change was .* ${id(1)}$`))]);
  });

  it('is a deletion as such, and a creation and its deletion apart', async () => {
    org.write(1, { isDeleted: true });
    org.write(4);
    await run();
    expect(applied).toEqual([gap('GAP_DELETE', 1), gap('GAP_UPDATE', 4)]);
    expect(counters.missed).toBe(2);
  });

  it('is not what is announced while it waits for late events', async () => {
    org.write(1);
    org.write(2);
    await run(() => hear(1));
    expect(applied).toEqual([gap('GAP_UPDATE', 2)]);
    expect(counters).toMatchObject({ missed: 1 });
  });

  it('is not what one event for the whole table announced', async () => {
    org.write(1);
    org.write(2);
    hear(9, { scope: 'entity', recordIds: [] });
    await run();
    expect(applied).toEqual([]);
  });

  it('is a lost creation whose update was heard', async () => {
    org.write(4);
    elapse(60_000);
    org.write(4);
    hear(4);
    await run();
    expect(applied).toEqual([gap('GAP_UPDATE', 4)]);
  });

  it('is a second change of a row that was found before', async () => {
    org.write(1);
    await run();
    org.write(1);
    await run();
    expect(counters.missed).toBe(2);
  });

  it('comes again when the cache could not invalidate', async () => {
    org.write(1);
    failure = new Error('the store is away');
    await expect(run()).rejects.toThrow('the store is away');
    expect(counters).toMatchObject({ missed: 0, runs: 1 });
    failure = undefined;
    await run();
    expect(applied).toEqual([gap('GAP_UPDATE', 1)]);
    expect(counters).toMatchObject({ missed: 1, runs: 2 });
  });

  it('is nothing any more once it was stopped', async () => {
    org.write(1);
    await run(() => stopping.abort());
    expect(applied).toEqual([]);
    expect(counters.runs).toBe(1);
  });
});

describe('what is found and not counted as missed', () => {
  it('is what changed before this process listened', async () => {
    org.write(1);
    table = newTable();
    elapse(1_000);
    await run();
    expect(applied).toEqual([gap('GAP_UPDATE', 1)]);
    expect(counters).toMatchObject({ missed: 0, rechecked: 1 });
    org.write(2);
    await run();
    expect(counters).toMatchObject({ missed: 1, rechecked: 1 });
  });

  it('is what changed before a gap in the stream', async () => {
    org.write(1);
    table.gap();
    await run();
    expect(counters).toMatchObject({ missed: 0, rechecked: 1 });
    org.write(2);
    await run(() => table.gap());
    expect(counters).toMatchObject({ missed: 0, rechecked: 2 });
    org.write(3);
    await run();
    expect(counters).toMatchObject({ missed: 0, rechecked: 3 });
    org.write(3);
    await run();
    expect(counters).toMatchObject({ missed: 1, rechecked: 3 });
  });

  it('is what changed no later than the newest change that was there when this process began, and showed late', async () => {
    const begun = org.nowMs;
    elapse(60_000);
    org.write(1);
    table = newTable();
    await run();
    org.write(2, { at: begun });
    await run();
    expect(counters).toMatchObject({ missed: 0, rechecked: 2 });
  });

  it('is what may have been heard of and forgotten', async () => {
    table = newTable({ recordsMax: 1 });
    await run();
    for (const n of [1, 2]) {
      org.write(n);
      hear(n);
    }
    await run();
    expect(applied).toEqual([gap('GAP_UPDATE', 1)]);
    expect(counters).toMatchObject({ missed: 0, rechecked: 1 });
  });

  it.each(['before', 'after'])('is what was seen while events were behind, %s the wait', async (when) => {
    org.write(1);
    isCaughtUp = when !== 'before';
    await run(() => (isCaughtUp = when === 'before'));
    expect(applied).toEqual([gap('GAP_UPDATE', 1)]);
    expect(counters).toMatchObject({ missed: 0, rechecked: 1 });
  });
});

describe('the position', () => {
  it('begins at the newest change: what was before is somebody else’s', () => {
    expect(position()).toBe(new Date(T0 - 3_600_000).toISOString());
    expect(applied).toEqual([]);
    expect(counters).toMatchObject({ apiCalls: 2, missed: 0, rechecked: 0 });
  });

  it('stays until a transaction that was open can have ended, and a row that appears late is found', async () => {
    const begun = org.nowMs;
    elapse(300_000);
    org.write(1);
    hear(1);
    await run();
    expect(position()).toBe(new Date(T0 - 3_600_000).toISOString());
    org.write(2, { at: begun });
    await run();
    expect(applied).toEqual([gap('GAP_UPDATE', 2)]);
  });

  it('moves on to what was the newest one overlap ago, and no further', async () => {
    org.write(1);
    hear(1);
    const first = Math.floor(org.nowMs / 1_000) * 1_000;
    await run();
    elapse(OVERLAP_MS - 2 * GRACE_MS);
    org.write(2);
    hear(2);
    await run();
    expect(position()).toBe(new Date(T0 - 3_600_000).toISOString());
    elapse(GRACE_MS);
    await run();
    expect(position()).toBe(new Date(first).toISOString());
    await run();
    expect(org.since).toBe(first);
  });

  it('is where the next process goes on: what is settled is not dropped again', async () => {
    org.write(1);
    hear(1);
    await run();
    elapse(OVERLAP_MS);
    await run();
    org.write(2);
    hear(2);
    await run();
    table = newTable();
    await run();
    expect(applied).toEqual([gap('GAP_UPDATE', 2)]);
    expect(counters).toMatchObject({ missed: 0, rechecked: 1 });
  });

  it('is not written while nothing changes', async () => {
    org.write(1);
    hear(1);
    await run();
    elapse(OVERLAP_MS);
    await run();
    saved.clear();
    for (let i = 0; i < 3; i++) {
      elapse(OVERLAP_MS);
      await run();
    }
    expect(position()).toBeUndefined();
  });

  it('begins anew where what is saved cannot be read', async () => {
    saved.set('Order', 'nonsense');
    table = newTable();
    await run();
    expect(position()).toBe(new Date(T0 - 3_600_000).toISOString());
  });

  it('does not move while it cannot be saved', async () => {
    org.write(1);
    hear(1);
    await run();
    elapse(OVERLAP_MS);
    const set = saved.set.bind(saved);
    saved.set = () => {
      throw new Error('this term is over');
    };
    await expect(run()).rejects.toThrow('this term is over');
    saved.set = set;
    await run();
    expect(position()).not.toBe(new Date(T0 - 3_600_000).toISOString());
  });
});

describe('more changes than are looked at', () => {
  it('make the whole table fall, and the next run goes on from there', async () => {
    for (let n = 10; n < 10 + ROWS_MAX + 1; n++) org.write(n);
    const newest = Math.floor(org.nowMs / 1_000) * 1_000;
    await run(() => expect(applied).toEqual([]));
    expect(applied).toEqual([gap('GAP_OVERFLOW')]);
    expect(position()).toBe(new Date(newest).toISOString());
    expect(counters).toMatchObject({ wholeTables: 1, missed: 0, rechecked: 0 });
    org.write(1);
    await run();
    expect(applied.slice(1)).toEqual([gap('GAP_UPDATE', 1)]);
    expect(counters).toMatchObject({ wholeTables: 1, missed: 1 });
  });

  it('make it wait until the second of the newest is over, so that no row of it escapes', async () => {
    table = newTable({ graceMs: 0 });
    for (let n = 10; n < 10 + ROWS_MAX; n++) org.write(n);
    const running = table.run(stopping.signal);
    await jest.advanceTimersByTimeAsync(1_999);
    expect(applied).toEqual([]);
    await jest.advanceTimersByTimeAsync(1);
    expect(applied).toEqual([gap('GAP_OVERFLOW')]);
    await running;
  });

  it('never move the position back, and need no creation of before to have been heard', async () => {
    org.write(1);
    hear(1);
    await run();
    for (let n = 10; n < 10 + ROWS_MAX; n++) org.write(n);
    await run();
    const dropped = position();
    elapse(OVERLAP_MS - 2 * GRACE_MS); // past the overlap of the first run, but not of the second
    org.write(10);
    hear(10);
    await run();
    expect(position()).toBe(dropped);
    expect(applied).toEqual([gap('GAP_OVERFLOW')]);
  });

  it('also after days in which nobody listened', async () => {
    for (let n = 1; n <= ROWS_MAX + 2; n++) org.write(n, { at: org.nowMs + n * 60_000 });
    elapse(72 * 3_600_000);
    table = newTable();
    await run();
    await run();
    expect(applied).toEqual([gap('GAP_OVERFLOW')]);
  });
});

describe('a move between lists, before a change of the same row that was heard', () => {
  const [ALICE, BOB] = ['001000000000001AAA', '001000000000002AAA'];
  const status = { changedFields: ['Status'], fields: { Status: 'Approved' } };
  const move = { changedFields: ['AccountId'], fields: { AccountId: BOB } };
  const moved = (n: number, AccountId = BOB): ChangeEvent => ({
    ...gap('UPDATE', n),
    changedFields: ['AccountId'],
    fields: { AccountId },
  });

  beforeEach(async () => {
    for (const n of [1, 2, 3]) org.write(n, { at: T0 - 3_600_000, fields: { AccountId: ALICE } });
    await become();
  });

  /** Replaces `table` by that of a process that has just become the active one. */
  async function become(given: Parameters<typeof newTable>[0] = {}): Promise<void> {
    table = newTable({ listFields: ['AccountId'], ...given });
    await run();
    [applied, counters.missed, counters.rechecked] = [[], 0, 0];
    elapse(1_000);
  }

  it('is handed on as that move, once, and counted as missed where the row was elsewhere before', async () => {
    org.write(1, { fields: { AccountId: BOB } });
    elapse(2_000);
    org.write(1);
    hear(1, status);
    await run();
    expect(applied).toEqual([moved(1)]);
    expect(counters).toMatchObject({ missed: 1, rechecked: 0 });
    elapse(60_000);
    org.write(1);
    hear(1, status);
    await run();
    expect(applied).toHaveLength(1);
  });

  it('is nothing where an event carried it, early or late, or where the row has not moved', async () => {
    org.write(1, { fields: { AccountId: BOB } });
    hear(1, move);
    elapse(2_000);
    for (const n of [1, 2, 3]) org.write(n);
    hear(1, status);
    hear(2, status);
    hear(3, { changedFields: ['Activation_Status__c'] });
    await run();
    org.write(2, { fields: { AccountId: BOB } });
    await run(() => hear(2, move));
    expect(applied).toEqual([]);
    expect(counters).toMatchObject({ missed: 0, rechecked: 0 });
  });

  it('is found after every way of knowing where the row was: a row found, an event', async () => {
    org.write(1, { fields: { AccountId: BOB } });
    await run();
    org.write(2, { fields: { AccountId: BOB } });
    hear(2, move);
    expect(applied).toEqual([gap('GAP_UPDATE', 1)]);
    elapse(2_000);
    for (const n of [1, 2]) org.write(n, { fields: { AccountId: ALICE } });
    elapse(2_000);
    for (const n of [1, 2]) {
      org.write(n);
      hear(n, status);
    }
    await run();
    expect(applied.slice(1)).toEqual([{ ...moved(1, ALICE), recordIds: [id(1), id(2)] }]);
    expect(counters.missed).toBe(3);
  });

  it('comes again when the cache could not invalidate', async () => {
    org.write(1, { fields: { AccountId: BOB } });
    elapse(2_000);
    org.write(1);
    hear(1, status);
    failure = new Error('the store is away');
    await expect(run()).rejects.toThrow('the store is away');
    failure = undefined;
    await run();
    expect(applied).toEqual([moved(1)]);
    expect(counters).toMatchObject({ missed: 1 });
  });

  it('is looked for once where nothing is known of the row, and what was found is not called missed', async () => {
    await become({ recordsMax: 2 });
    for (let looks = 0; looks < 2; looks++) {
      elapse(2_000);
      for (const n of [1, 3]) org.write(n);
      for (const n of [1, 3]) hear(n, status);
      await run();
    }
    expect(applied).toHaveLength(1);
    expect(counters).toMatchObject({ missed: 0, rechecked: 1 });
  });

  it('costs no second look for rows that were settled when this process began, and no request but one', async () => {
    const before = counters.apiCalls;
    org.write(1);
    hear(1, status);
    await run();
    elapse(60_000);
    await run();
    expect(applied).toEqual([]);
    expect(counters.apiCalls).toBe(before + 2);
  });

  it('takes for known what was settled when an event stood for the whole table, and nothing else', async () => {
    elapse(OVERLAP_MS);
    org.write(1, { fields: { AccountId: BOB } });
    elapse(2_000);
    hear(9, { scope: 'entity', recordIds: [] });
    elapse(2_000);
    for (const n of [1, 2]) {
      org.write(n);
      hear(n, status);
    }
    await run();
    expect(applied).toEqual([{ ...moved(1), recordIds: [id(1)] }, moved(2, ALICE)]);
    expect(counters).toMatchObject({ missed: 0, rechecked: 2 });
  });

  it('costs no second look for rows that had settled before an event for the whole table', async () => {
    hear(9, { scope: 'entity', recordIds: [] });
    await run();
    org.write(2);
    hear(2, status);
    await run();
    expect(applied).toEqual([]);
  });

  it('is found although it moves the row back to where it was before more had changed than is looked at', async () => {
    for (let n = 1; n <= ROWS_MAX; n++) org.write(n, { fields: { AccountId: BOB } });
    await run();
    expect(applied).toEqual([gap('GAP_OVERFLOW')]);
    elapse(2_000);
    org.write(1, { fields: { AccountId: ALICE } });
    elapse(2_000);
    org.write(1);
    hear(1, status);
    await run();
    expect(applied.slice(1)).toEqual([moved(1, ALICE)]);
  });

  it('is found after more had changed than is looked at', async () => {
    for (let n = 10; n < 10 + ROWS_MAX; n++) org.write(n, { fields: { AccountId: ALICE } });
    await run();
    expect(applied).toEqual([gap('GAP_OVERFLOW')]);
    org.write(10, { fields: { AccountId: BOB } });
    elapse(2_000);
    org.write(10);
    hear(10, { ...status, changeType: 'UPDATE' });
    await run();
    expect(applied.slice(1)).toEqual([moved(10)]);
  });

  it('is found where the row was deleted and undeleted meanwhile, and only the deletion was heard', async () => {
    hear(1, { changeType: 'DELETE' });
    org.write(1, { isDeleted: true });
    elapse(2_000);
    org.write(1);
    elapse(2_000);
    org.write(1);
    hear(1, status);
    await run();
    expect(applied).toEqual([moved(1, ALICE)]);
  });
});
