import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run, say } from './workspace.mjs';

/**
 * `npm run ci`: runs every check to its end, so that one run shows every failure. The last line holds the test runner's
 * own counts.
 */
const folder = mkdtempSync(join(tmpdir(), 'evergreen-ci-'));
const report = join(folder, 'jest.json');
const failed = [];
await step('npm test', ['test', '--', '--json', `--outputFile=${report}`]);
await step('npm run lint', ['run', 'lint']);
await step('npm run typecheck', ['run', 'typecheck']);
await step('npm run build', ['run', 'build']);
const checker = ['run', 'check:consistency', '--'];
await step('npm run check:consistency', [...checker, '--seconds=30']);
await step('npm run check:consistency -- --partitions=2', [...checker, '--partitions=2', '--seconds=15']);
await step('npm run check:consistency -- --mode=bounded', [...checker, '--mode=bounded', '--seconds=10']);
for (const topology of ['cluster', 'sentinel']) {
  await step(`npm run check:consistency -- --topology=${topology}`, [
    ...checker,
    `--topology=${topology}`,
    '--seconds=20',
  ]);
}
for (const topology of ['standalone', 'cluster', 'sentinel']) {
  await step(`npm run check:consistency -- --prove --topology=${topology}`, [
    ...checker,
    '--prove',
    `--topology=${topology}`,
  ]);
}
await step('npm run check:change-events', ['run', 'check:change-events', '--', '--seconds=16', '--transport=both']);
await step('npm run model', ['run', 'model', '--', '--quick', '--install']);
const counts = readCounts();
rmSync(folder, { recursive: true });
say('');
say(failed.length === 0 ? 'All steps succeeded.' : `Failed: ${failed.join(', ')}`);
if (!counts) say('The test runner left no counts: it did not run to its end.');
const { passed, notPassed, skipped } = counts ?? { passed: 0, notPassed: 1, skipped: 0 };
process.exitCode = failed.length > 0 || notPassed > 0 || passed === 0 ? 1 : 0;
say(`${passed} passed, ${notPassed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);

async function step(name, args) {
  say(`\n=== ${name}`);
  const code = await run('npm', args, { shell: process.platform === 'win32' });
  if (code !== 0) failed.push(name);
}

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
