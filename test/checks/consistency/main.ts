import { readCommandLine } from '../command-line.js';
import { hasHeld, reportText } from './check-report.js';
import { checkRun } from './check-run.js';
import { readOptions, replayCommand, USAGE, type CheckOptions } from './options.js';
import { proofRuns } from './proofs.js';

/**
 * `npm run check:consistency`: checks the cache's promise (docs/testing/consistency.md). Exit code 1: the promise was
 * broken, a check could not be carried out, or, with `--prove`, an expected violation was not found; 2: the command
 * line is invalid.
 */
const progress = (text: string) => process.stderr.write(`${text}\n`);
const options = readCommandLine(readOptions, USAGE);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
process.exitCode = (options.prove ? await prove(options) : await check(options)) ? 0 : 1;

async function check(one: CheckOptions): Promise<boolean> {
  const outcome = await checkRun(one, progress);
  console.log(reportText(one, outcome));
  return hasHeld(outcome);
}

/** Runs the check without one mechanism after the other; each run must find a violation. */
async function prove(base: CheckOptions): Promise<boolean> {
  let isProven = true;
  for (const one of proofRuns(base)) {
    const { without } = one;
    const outcome = await checkRun(one, progress);
    const { violations, readCount } = outcome.verifier;
    const [first] = violations;
    const after = `${outcome.seconds.toFixed(1)} s, ${readCount} reads`;
    if (first) console.log(`without ${without}: found after ${after}. ${first.check}: ${first.text}`);
    else {
      isProven = false;
      console.log(
        `without ${without}: NOT FOUND in ${after}. ${outcome.failures.join(' ')} replay: ${replayCommand(one)}`,
      );
    }
  }
  return isProven;
}
