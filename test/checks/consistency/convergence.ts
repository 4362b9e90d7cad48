import { Redis } from 'ioredis';
import { elapse } from '../../support/eventually.js';
import type { CheckedProcess } from './pool/checked-process.js';
import { withinMs } from '../within-ms.js';
import { walkIndex, type IndexReport } from './index-walk.js';
import { keys } from './source/universe.js';
import type { VersionedSource } from './source/versioned-source.js';

/** The state when nothing changes any more and all pending work has ended. */
export interface Convergence {
  readonly compared: number;
  /** How long the store took to serve every process after the last fault. */
  readonly recoveredMs: number;
  /** The fastest invalidation of the slowest process, at rest. */
  readonly invalidationMs: number;
  /** The first reads that returned a value other than the source's, at most ten. */
  readonly stale: readonly string[];
  readonly index: IndexReport;
}

const REST_MS = 60_000;
/**
 * How long the index may take to become clean: entries with a short TTL must expire first, and every process sweeps
 * once a second.
 */
const SWEPT_MS = 15_000;
const LOOK_MS = 200;
/** How long to wait until every negative answer has expired: longer than `NEGATIVE_MS` in process/life.ts. */
const NEGATIVE_ENDS_MS = 700;
const WINDOW_MAX = 10_000;
const SHOWN_MAX = 10;

/**
 * Lets every process finish its pending work, compares the reads of each process with the source, and checks that the
 * entries in Redis and their index fit each other.
 */
export async function convergence(
  processes: readonly CheckedProcess[],
  source: VersionedSource,
  primaries: () => Promise<readonly number[]>,
  appName: string,
): Promise<Convergence> {
  const { afterMs: recoveredMs } = await recovered(processes);
  const reports = processes.map((process) => process.hears('rested'));
  processes.forEach((process) => process.order({ kind: 'rest' }));
  await withinMs(REST_MS, Promise.all(reports), 'some reads or invalidations did not end');
  for (const { slot } of processes) {
    const left = await source.pending(slot);
    if (left.length > 0) throw new Error(`${left.length} changes of slot ${slot} were never acknowledged`);
  }
  await elapse(NEGATIVE_ENDS_MS); // negative answers have expired and are fetched again
  const { invalidationMs } = await recovered(processes);
  const truth = await source.truth(keys.map((_, key) => key));
  const stale: string[] = [];
  let compared = 0;
  for (const process of processes) {
    const answer = process.hears('values');
    process.order({ kind: 'readAll' });
    const { values } = await withinMs(REST_MS, answer, `process ${process.by} did not read all keys`);
    values.forEach((value, i) => {
      const key = i % keys.length;
      const isMiss = value === '' && i >= 2 * keys.length; // `get` builds nothing
      compared++;
      if (value === truth[key] || isMiss || stale.length >= SHOWN_MAX) return;
      stale.push(`process ${process.by}: ${keys[key]?.text} is ${value || 'nothing'}, the source holds ${truth[key]}`);
    });
  }
  return { compared, recoveredMs, invalidationMs, stale, index: await sweptIndex(primaries, appName) };
}

async function recovered(processes: readonly CheckedProcess[]) {
  const reports = Promise.all(processes.map((process) => process.hears('recovered')));
  processes.forEach((process) => process.order({ kind: 'recover' }));
  const all = await withinMs(REST_MS, reports, 'a process did not say whether the store serves it');
  all.forEach(({ hindrance }, i) => {
    if (hindrance === undefined) return;
    const seconds = ((all[i]?.afterMs ?? 0) / 1000).toFixed(0);
    throw new Error(`process ${processes[i]?.by} was not served by the store within ${seconds} s: ${hindrance}`);
  });
  return {
    afterMs: Math.max(...all.map(({ afterMs }) => afterMs)),
    invalidationMs: Math.max(...all.map((report) => report.invalidationMs ?? Infinity)),
  };
}

/** The index as soon as it is clean, or its state after the sweepers had enough time. */
async function sweptIndex(primaries: () => Promise<readonly number[]>, appName: string): Promise<IndexReport> {
  for (const until = performance.now() + SWEPT_MS; ; await elapse(LOOK_MS)) {
    const isLate = performance.now() > until;
    const nodes = (await primaries()).map((port) => new Redis(port, '127.0.0.1'));
    try {
      const report = await walkIndex(nodes, appName, WINDOW_MAX);
      if (report.faults.length === 0 || isLate) return report;
    } catch (error) {
      // A loaded machine may make a primary look dead, so that it is replaced even without a fault. Then this looks
      // again.
      if (isLate) throw error;
    } finally {
      for (const node of nodes) node.disconnect();
    }
  }
}
