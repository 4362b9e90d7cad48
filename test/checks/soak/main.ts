import { readCommandLine } from '../command-line.js';
import { measureLatency } from './modes/latency.js';
import { prove } from './modes/prove.js';
import { takeovers } from './modes/takeovers.js';
import { readOptions, replayCommand, USAGE, type SoakOptions } from './options.js';
import { latencyReport, reportText, soakReport, takeoverReport, type SoakReport } from './report.js';
import { soak } from './soak-run.js';
import type { Transport } from './deployment/deployment.js';

/**
 * `npm run check:change-events`: the whole product from outside, under faults (docs/testing/soak.md). Exit code 1: a
 * check failed or could not be carried out, or, with `--prove`, a planted fault was not found; 2: the command line is
 * invalid.
 */
const say = (text: string) => process.stderr.write(`${text}\n`);
const options = readCommandLine(readOptions, USAGE);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
say(`seed ${options.seed}; again: ${replayCommand(options)}`);
process.exitCode = (options.prove ? await proveAll(options) : await checkAll(options)) ? 0 : 1;

async function checkAll(given: SoakOptions): Promise<boolean> {
  const reports: SoakReport[] = [];
  for (const transport of given.transports) reports.push(await check(given, transport));
  if (given.json) console.log(JSON.stringify({ seed: given.seed, runs: reports.map(({ json }) => json) }));
  const text = reportText(given, reports);
  if (given.json) say(text);
  else console.log(text);
  return reports.every(({ violations }) => violations.length === 0);
}

async function check(given: SoakOptions, transport: Transport): Promise<SoakReport> {
  if (given.measureLatency) return latencyReport(await measureLatency(given, transport));
  if (given.kills > 0) return takeoverReport(await takeovers(given, transport, say));
  return soakReport(given, await soak(given, transport, say));
}

async function proveAll(given: SoakOptions): Promise<boolean> {
  let isProven = true;
  for (const transport of given.transports) isProven = (await prove(given, transport, console.log)) && isProven;
  return isProven;
}
