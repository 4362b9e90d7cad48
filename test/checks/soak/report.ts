import type { LatencyOutcome } from './modes/latency.js';
import { TAKEOVER_MAX_MS, type TakeoverOutcome } from './modes/takeovers.js';
import { replayCommand, type SoakOptions } from './options.js';
import { REPAIR_SLACK_MS, type TransportOutcome } from './soak-run.js';

const SHOWN_MAX = 10;
/** Maximum milliseconds from a change until every BFF returns the new value, at 200 changes a second. */
const LATENCY_TARGETS = { p50: 25, p99: 150 } as const;

/** The findings of a run, for people and for programs. */
export interface SoakReport {
  readonly lines: readonly string[];
  readonly json: Readonly<Record<string, unknown>>;
  /** The broken checks; empty when everything held. */
  readonly violations: readonly string[];
}

/** The report of one transport's soak. */
export function soakReport(options: SoakOptions, outcome: TransportOutcome): SoakReport {
  const { transport, phases, load, freshness, faults, recoveries } = outcome;
  const mismatches = phases.flatMap(({ comparison }) => comparison.mismatches);
  const losses = phases.flatMap((phase) => phase.losses);
  const repairs = losses.map(({ repairedAfterMs }) => repairedAfterMs).filter((ms) => ms !== undefined);
  const provoked = losses.filter(({ isProvoked }) => isProvoked).length;
  const last = phases.at(-1)?.comparison;
  const compared = phases.reduce((sum, { comparison }) => sum + comparison.compared, 0);
  const violations = soakViolations(options, outcome);
  const json = {
    transport,
    reads: Object.fromEntries(load.answers),
    failuresInCalm: load.failuresInCalm,
    writes: Object.fromEntries(load.writes),
    unacknowledged: load.unacknowledged,
    deliveredEvents: outcome.deliveredEvents,
    faults: Object.fromEntries(faults.counts),
    phases: phases.length,
    compared,
    entries: last?.entries ?? {},
    mismatches: mismatches.length,
    longestSettleMs: longest(phases.map(({ comparison }) => comparison.settledAfterMs)),
    judgedReads: freshness.judgedReads,
    exposedReads: freshness.exposedReads,
    stale: freshness.staleCount,
    losses: losses.length,
    provoked,
    repaired: repairs.length,
    longestRepairMs: longest(repairs),
    missed: outcome.missed,
    longestRecoveryMs: longest([...recoveries, ...phases.map(({ recoveredAfterMs }) => recoveredAfterMs)]),
    violations,
  };
  const lines = [
    `${transport}: seed ${options.seed}, ${phases.length} phases, ${options.bffs} BFFs, ${options.workers} workers`,
    `  reads          ${grouped(load.readCount)} (${counted(load.answers)}); ${load.failuresInCalm} of 5xx while all was well`,
    `  writes         ${grouped(load.writeCount)} acknowledged, ${load.unacknowledged} not: ${counted(load.writes)}`,
    `  events         ${grouped(outcome.deliveredEvents)} delivered to all subscribers together`,
    `  faults         ${grouped(total(faults.counts))}: ${counted(faults.counts)}`,
    `  recovery       longest ${json.longestRecoveryMs} ms after everything was healed, of ${recoveries.length + phases.length}`,
    `  freshness      ${grouped(freshness.judgedReads)} reads judged in the calm, ${grouped(freshness.exposedReads)} exposed; ${freshness.staleCount} stale by more than ${options.boundMs} ms`,
    `  at rest        ${mismatches.length} mismatches of ${grouped(compared)} answers; longest to settle ${json.longestSettleMs} ms; entries at last: ${counted(new Map(Object.entries(json.entries)))}`,
    `  losses         ${losses.length} events lost singly, ${provoked} of them seen as an old value; ${repairs.length} repaired, longest ${json.longestRepairMs} ms; missed events by the reconciler's account: ${outcome.missed}`,
  ];
  return { lines, json, violations };
}

/** A line for every failed check. */
function soakViolations(options: SoakOptions, { phases, freshness, failures }: TransportOutcome): string[] {
  const mismatches = phases.flatMap(({ comparison }) => comparison.mismatches);
  const losses = phases.flatMap((phase) => phase.losses);
  return [
    ...failures.map((text) => `FAILED ${text}`),
    ...mismatches.map((text) => `MISMATCH ${text}`),
    ...freshness.stale.map(
      ({ reader, fact, version, required, ageMs }) =>
        `STALE ${reader}: ${fact} at version ${version}, ${ageMs} ms after ${required} was acknowledged`,
    ),
    ...losses
      .filter(({ repairedAfterMs }) => repairedAfterMs === undefined)
      .map(
        ({ what }) => `NOT REPAIRED the lost ${what}, within ${options.reconcileSeconds} s and ${REPAIR_SLACK_MS} ms`,
      ),
  ];
}

/** The report of takeovers. */
export function takeoverReport(outcome: TakeoverOutcome): SoakReport {
  const { transport, takeoverMs, ofLeader, leaseMs, compared, mismatches, writes, reads, failures } = outcome;
  const sorted = [...takeoverMs].sort((a, b) => a - b);
  const leases = [...leaseMs].sort((a, b) => a - b);
  const late = sorted.filter((ms) => ms > TAKEOVER_MAX_MS).length;
  const violations = [...failures, ...mismatches.map((text) => `MISMATCH ${text}`)];
  const json = {
    transport,
    kills: sorted.length,
    ofLeader,
    leaseMs: { p50: quantile(leases, 0.5), max: quantile(leases, 1) },
    takeoverMs: { p50: quantile(sorted, 0.5), p90: quantile(sorted, 0.9), max: quantile(sorted, 1) },
    late,
    compared,
    mismatches: mismatches.length,
    writes,
    reads,
    violations,
  };
  const { p50, p90, max } = json.takeoverMs;
  const lines = [
    `${transport}: ${sorted.length} kills (${ofLeader} of the worker that held the lease), ${grouped(writes)} writes, ${grouped(reads)} reads`,
    `  takeover       p50 ${p50} ms, p90 ${p90} ms, longest ${max} ms; ${late} longer than ${TAKEOVER_MAX_MS} ms; the lease moved after p50 ${json.leaseMs.p50} ms, longest ${json.leaseMs.max} ms`,
    `  at rest        ${mismatches.length} mismatches of ${grouped(compared)} answers`,
  ];
  return { lines, json, violations };
}

/** The report of the latency measurement, compared with its targets. */
export function latencyReport(outcome: LatencyOutcome): SoakReport {
  const { transport, newValueMs, oldValueMs, changesPerSecond, backgroundReadsPerSecond, givenUp, seconds } = outcome;
  const of = (sorted: readonly number[]) => ({
    p50: quantile(sorted, 0.5),
    p90: quantile(sorted, 0.9),
    p99: quantile(sorted, 0.99),
    max: quantile(sorted, 1),
  });
  const [fresh, old] = [of(newValueMs), of(oldValueMs)];
  const violations = [
    ...(givenUp > 0 ? [`${givenUp} changes were not seen at all`] : []),
    ...(fresh.p50 > LATENCY_TARGETS.p50 ? [`p50 is ${fresh.p50} ms, more than ${LATENCY_TARGETS.p50} ms`] : []),
    ...(fresh.p99 > LATENCY_TARGETS.p99 ? [`p99 is ${fresh.p99} ms, more than ${LATENCY_TARGETS.p99} ms`] : []),
  ];
  const shown = ({ p50, p90, p99, max }: typeof fresh) =>
    `p50 ${p50} ms, p90 ${p90} ms, p99 ${p99} ms, longest ${max} ms`;
  const lines = [
    `${transport}: ${newValueMs.length} changes looked at in ${seconds} s, at ${changesPerSecond} changes/s and ${backgroundReadsPerSecond} other reads/s`,
    `  new value      ${shown(fresh)}   from Salesforce's answer until the last BFF had returned it`,
    `  old value      ${shown(old)}   from Salesforce's answer until the last answer of any BFF that still had it`,
  ];
  const { failedChanges } = outcome;
  const json = {
    transport,
    seconds,
    changesPerSecond,
    probes: newValueMs.length,
    newValueMs: fresh,
    oldValueMs: old,
    givenUp,
    failedChanges,
  };
  return { lines, json: { ...json, violations }, violations };
}

/** The whole text: the lines of each report, the violations, and the command that repeats the run. */
export function reportText(options: SoakOptions, reports: readonly SoakReport[]): string {
  const violations = reports.flatMap((report) => report.violations);
  const more = violations.length - SHOWN_MAX;
  return [
    ...reports.flatMap((report) => report.lines),
    `violations       ${violations.length}`,
    ...violations.slice(0, SHOWN_MAX).map((text) => `  ${text}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
    `replay: ${replayCommand(options)}`,
  ].join('\n');
}

/** A quantile of sorted values, rounded to tenths; 0 for an empty list. */
export function quantile(sorted: readonly number[], q: number): number {
  const value = sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0;
  return Math.round(value * 10) / 10;
}

function longest(values: readonly number[]): number {
  return Math.round(Math.max(0, ...values));
}

function counted(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([what, n]) => `${what} ${grouped(n)}`).join(', ') || 'none';
}

function total(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, n) => sum + n, 0);
}

function grouped(n: number): string {
  return n.toLocaleString('en-GB');
}
