import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runSeries, runTogether, seriesTable } from './checks/check-series.mjs';
import { consistency, models, proof, soak } from './checks/long-checks.mjs';
import { answerHelp } from './usage.mjs';
import { say } from './workspace.mjs';

const USAGE = `.ci/run
  What must pass before work lands: npm test, then lint, types, build and the quick models, the consistency checks with
  their proofs, and the soak. Each runs to its end, so that one run shows every failure. A table says what each took and
  found; the last line holds the test runner's own counts. Under half an hour on two cores that do nothing else.
  --help   this text`;

answerHelp(USAGE);
const folder = mkdtempSync(join(tmpdir(), 'evergreen-ci-'));
const report = join(folder, 'jest.json');
const numbers = () => ''; // the table has no column for what these print
const script = (name) => ({ name, args: ['run', name], numbers });
const write = (text) => process.stdout.write(text);
const rows = [
  // Installs and builds what is missing, as it does for a user of a fresh clone.
  ...(await runSeries([{ name: 'tests', args: ['test', '--', '--json', `--outputFile=${report}`], numbers }], write)),
  // These wait for nothing and measure nothing, so they share the cores; the others need the whole machine.
  ...(await runTogether([script('lint'), script('typecheck'), script('build'), models('--quick')], write)),
  ...(await runSeries(
    [
      consistency('standalone', '--seconds=30'),
      consistency('partitions', '--partitions=2', '--seconds=15'),
      consistency('bounded', '--mode=bounded', '--seconds=10'),
      consistency('cluster', '--topology=cluster', '--seconds=20'),
      consistency('sentinel', '--topology=sentinel', '--seconds=20'),
      ...['standalone', 'cluster', 'sentinel'].map(proof),
      soak('soak', '--seconds=16', '--transport=both'),
    ],
    write,
  )),
];
const failed = rows.filter(({ code }) => code !== 0).map(({ name }) => name);
const counts = readCounts();
rmSync(folder, { recursive: true });
say(`\n${seriesTable(rows)}\n`);
say(failed.length === 0 ? 'All steps succeeded.' : `Failed: ${failed.join(', ')}`);
if (!counts) say('The test runner left no counts: it did not run to its end.');
const { passed, notPassed, skipped } = counts ?? { passed: 0, notPassed: 1, skipped: 0 };
process.exitCode = failed.length > 0 || notPassed > 0 || passed === 0 ? 1 : 0;
say(`${passed} passed, ${notPassed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);

/** The test runner's counts; undefined if it left none. A test file that could not be loaded counts as one failure. */
function readCounts() {
  if (!existsSync(report)) return undefined;
  const jest = JSON.parse(readFileSync(report, 'utf8'));
  return {
    passed: jest.numPassedTests,
    notPassed: jest.numFailedTests + jest.numRuntimeErrorTestSuites,
    skipped: jest.numPendingTests + jest.numTodoTests,
  };
}
