import type { CheckOutcome } from './check-run.js';
import { replayCommand, type CheckOptions } from './options.js';

const SHOWN_MAX = 10;

/** Whether every promise held and every check could be carried out. */
export function hasHeld({ verifier, convergence, failures }: CheckOutcome): boolean {
  const isAtRest = convergence !== undefined && convergence.stale.length === 0 && convergence.index.faults.length === 0;
  return verifier.violationCount === 0 && failures.length === 0 && isAtRest;
}

/** The findings of a run, as text for the terminal. */
export function reportText(options: CheckOptions, outcome: CheckOutcome): string {
  const { verifier, convergence, faults, failures, startedProcesses, seconds } = outcome;
  const { readCount, reads, exposed } = verifier;
  const share = (n: number) => `${((100 * n) / Math.max(1, readCount)).toFixed(1)} %`;
  const { topology, mode, seed, readers, partitions, without } = options;
  const lines = [
    `${topology}, mode ${mode}, seed ${seed}, ${seconds.toFixed(0)} s, ${readers} readers and 1 worker (${startedProcesses} processes in all), ` +
      `${partitions} partition(s)${without ? `, WITHOUT ${without}` : ''}`,
    '',
    `reads            ${grouped(readCount)}: L1 ${share(reads.l1)}, L2 ${share(reads.store)}, own fetch ${share(reads.fetched)}, ` +
      `another's fetch ${share(reads.shared)}, without the store ${share(reads.bypass)}`,
    `  exposed        ${share(exposed)} returned something that had been invalidated within the second before`,
    `  no value       miss ${grouped(reads.miss)}; refused: ${counted(verifier.failures)}`,
    `rebuilds         ${grouped(verifier.rebuilds.count)} reads under a bound to the age were given a newer build`,
    `invalidations    ${grouped(total(verifier.acknowledged))} acknowledged: ${counted(verifier.acknowledged)}`,
    `  attempts       ${grouped(verifier.refused)} were not acknowledged and repeated`,
    `  acknowledged   ${quantiles(verifier.times.ms)}`,
    `    undisturbed  longest ${verifier.times.longestUndisturbedMs.toFixed(1)} ms while Redis answered and the process itself ran`,
    `commits          ${counted(verifier.commits)}; ${verifier.order.suspectCount} overtaken ones looked at`,
    `faults           ${grouped(total(faults))}: ${counted(faults)}`,
    `violations       ${verifier.violationCount}${verifier.violationCount > 0 ? ` (${counted(verifier.violationCounts)})` : ''}`,
  ];
  if (convergence) {
    const { compared, stale, index } = convergence;
    lines.push(
      `recovered        within ${convergence.recoveredMs.toFixed(0)} ms each process was served, once nothing was done any more; ` +
        `invalidations of ${convergence.invalidationMs.toFixed(1)} ms then`,
      `at rest          ${stale.length} stale of ${grouped(compared)} reads`,
      `index            ${index.faults.length} faults; ${grouped(index.entries)} entries, ${grouped(index.indexKeys)} index keys`,
      ...stale.slice(0, SHOWN_MAX).map((text) => `  STALE ${text}`),
      ...index.faults.slice(0, SHOWN_MAX).map((text) => `  INDEX ${text}`),
    );
    if (index.unknown.length > 0)
      lines.push(`  note: keys that the checker knows nothing of: ${index.unknown.join(' ')}`);
  } else lines.push('at rest          not looked at: the run ended before');
  lines.push(...failures.map((text) => `FAILED ${text}`));
  lines.push(...verifier.violations.slice(0, SHOWN_MAX).map(({ check, text }) => `VIOLATION ${check}: ${text}`));
  if (options.keep || failures.length > 0)
    lines.push(
      '',
      'What was done:',
      ...outcome.events.map(({ at, text }) => `  ${(at / 1000).toFixed(0)} ms  ${text}`),
    );
  if (outcome.timeline.length > 0) lines.push('', 'The first of them:', ...outcome.timeline);
  if (outcome.folder) lines.push('', `history: ${outcome.folder}`);
  lines.push('', `replay: ${replayCommand(options)}`);
  return lines.join('\n');
}

function counted(counts: ReadonlyMap<string, number>): string {
  const text = [...counts].filter(([, n]) => n > 0).map(([what, n]) => `${what} ${grouped(n)}`);
  return text.length === 0 ? 'none' : text.join(', ');
}

function total(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, n) => sum + n, 0);
}

function quantiles(sorted: readonly number[]): string {
  const at = (q: number) =>
    `${(sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0).toFixed(1)} ms`;
  return `median ${at(0.5)}, p99 ${at(0.99)}, longest ${at(1)} after being asked for`;
}

function grouped(n: number): string {
  return n.toLocaleString('en-GB');
}
