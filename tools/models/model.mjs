import { availableParallelism, freemem } from 'node:os';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { check, installMissingPrograms, missingPrograms } from './model-checker.mjs';
import { runs } from './model-runs.mjs';
import { answerHelp } from '../usage.mjs';
import { say } from '../workspace.mjs';

/**
 * `npm run model`: checks the models of docs/protocol against their expected results. `-- --quick` runs the set of CI,
 * `-- <name>…` selects runs, `--trail` prints Spin's counterexample, `--install` installs missing programs. Exit code
 * 1: a run did not find what it must, or did not finish; 2: nothing could be checked, or it was interrupted.
 */
const limits = { quick: { seconds: 100, megabytes: 3000 }, full: { seconds: 900, megabytes: 9000 } };

const USAGE = `npm run model -- [--quick] [--install] [--trail] [run …]
  --quick    the runs of CI, in two minutes or so
  --install  install spin and gcc where they are missing
  --trail    print the counterexample of each assertion that fails
  --help     this text
  ${runs.length} runs, named in tools/models/model-runs.mjs; without a name all are made`;

answerHelp(USAGE);
const { values: options, positionals: names } = readArguments();
const unknown = names.filter((name) => !runs.some((each) => each.name === name));
if (unknown.length > 0)
  stopWith(2, `No such run: ${unknown.join(', ')}. There are:\n  ${runs.map((each) => each.name).join(' ')}`);
const missing = options.install ? await installMissingPrograms() : missingPrograms();
if (missing.length > 0) {
  stopWith(
    2,
    `The models are checked with spin and gcc; missing: ${missing.join(', ')}. Install them, e.g.:\n` +
      '  sudo apt-get install -y spin gcc libc6-dev      (Debian, Ubuntu; or: npm run model -- --install)\n' +
      '  brew install spin gcc                           (macOS)',
  );
}

// An interrupted run must not leave a search running.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(2));

const limit = options.quick ? limits.quick : limits.full;
const chosen = runs.filter(({ name, isQuick }) =>
  names.length > 0 ? names.includes(name) : !options.quick || isQuick,
);
const affordable = Math.floor(freemem() / 2 ** 20 / limit.megabytes);
const queue = [...chosen].reverse();
const faults = [];
const startedAt = performance.now();

say(row(['run', 'switches', 'expected', 'found', 'states', 'transitions', 'seconds', 'MB']));
say(row(Array.from({ length: 8 }, () => '---')));
await Promise.all(Array.from({ length: Math.max(1, Math.min(availableParallelism(), 2, affordable)) }, work));
const seconds = Math.round((performance.now() - startedAt) / 1000);
say(`\n${chosen.length - faults.length} of ${chosen.length} runs as expected, ${seconds} s.`);
for (const fault of faults) say(fault);
process.exitCode = faults.length === 0 ? 0 : 1;

/** One of the parallel searches: takes runs from the queue until it is empty. */
async function work() {
  for (let next = queue.pop(); next; next = queue.pop()) {
    const result = await check(next, { ...limit, wantsTrail: options.trail });
    const numbers = [result.states, result.transitions].map((n) => (Number.isNaN(n) ? '?' : String(n)));
    const cells = [next.name, next.switches.join(' ') || '–', next.expected, result.outcome, ...numbers];
    say(
      row([...cells, result.seconds.toFixed(1), Number.isNaN(result.megabytes) ? '?' : Math.round(result.megabytes)]),
    );
    if (result.trail) say(result.trail);
    if (result.outcome !== next.expected) faults.push(explain(next, result));
  }
}

function explain({ name, expected }, { outcome, reason }) {
  if (outcome === 'incomplete') return `FAILED ${name}: not decided (${reason}).`;
  if (expected === 'holds') {
    return `FAILED ${name}: an assertion fails. See how: npm run model -- ${name} --trail`;
  }
  return `FAILED ${name}: the mutation was not caught, so the run that it belongs to proves nothing about this mechanism.`;
}

function row(cells) {
  return `| ${cells.join(' | ')} |`;
}

function readArguments() {
  const flag = { type: 'boolean', default: false };
  try {
    return parseArgs({ allowPositionals: true, options: { quick: flag, install: flag, trail: flag } });
  } catch (error) {
    return stopWith(2, `${error.message}\n${USAGE}`);
  }
}

function stopWith(code, reason) {
  process.stderr.write(`${reason}\n`);
  process.exit(code);
}
