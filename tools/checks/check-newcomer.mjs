import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { copyThatFollowsThePage, healthAt, PAGE, whileStarted } from './copy-of-tree.mjs';
import { answerHelp } from '../usage.mjs';
import { run, say } from '../workspace.mjs';

const USAGE = `npm run check:newcomer -- [--only=start|rules|test]
  Does in a fresh copy of the tree what ${PAGE} says, to the letter; then, there:
  npm start (health must be ok, and every feed followed), npm run lint and npm run typecheck (no findings), and
  npm test (everything must be green).
  It installs and builds in the copy: half an hour on two cores. The copy is removed at the end, unless something failed.
  --only=start   npm start alone: some minutes
  --only=rules   npm run lint and npm run typecheck alone: some minutes
  --only=test    npm test alone
  --help         this text`;

/** How long the change events may take to be followed after the start. */
const FOLLOWED_MS = 30_000;

answerHelp(USAGE);
const [given] = process.argv.slice(2);
const only = /^--only=(start|rules|test)$/.exec(given ?? '')?.[1];
if (given !== undefined && only === undefined) {
  process.stderr.write(`Not known: ${given}\n\n${USAGE}\n`);
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), 'evergreen-newcomer-'));
const inCopy = { cwd: folder, shell: process.platform === 'win32' };
say(`Following ${PAGE} in ${folder} …`);
say(`touched ${copyThatFollowsThePage(folder).join(', ')}`);
const problems = [];
for (const [name, part] of Object.entries({ start: starts, rules: keepsTheRules, test: tests })) {
  if (only === undefined || only === name) problems.push(...(await part()));
}
for (const problem of problems) say(`FAILED: ${problem}`);
if (problems.length === 0) rmSync(folder, { recursive: true, force: true });
else say(`The copy is left in ${folder}.`);
process.exitCode = problems.length === 0 ? 0 : 1;

async function starts() {
  execFileSync('npm', ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'], {
    ...inCopy,
    stdio: 'inherit',
  });
  let health;
  const { code } = await whileStarted(folder, async ({ bff }) => {
    const deadline = Date.now() + FOLLOWED_MS;
    do {
      await new Promise((resolve) => setTimeout(resolve, 500));
      health = await healthAt(bff);
    } while (health.events !== 'up' && Date.now() < deadline);
  });
  say(`npm start: /health ${health.status}, sf-events ${health.events}, feeds ${health.feeds.join(', ')}`);
  const isWell = health.status === 'ok' && health.events === 'up' && health.feeds.includes('Case live');
  return [
    ...(isWell ? [] : ['npm start is not healthy after the page was followed']),
    ...(code === 0 ? [] : [`npm start ended with code ${code}`]),
  ];
}

async function keepsTheRules() {
  const broken = [];
  for (const script of ['lint', 'typecheck']) {
    if ((await run('npm', ['run', script], inCopy)) !== 0) broken.push(`npm run ${script}`);
  }
  const found = broken.length === 0 ? 'npm run lint and npm run typecheck find nothing' : `${broken.join(', ')} failed`;
  say(`rules: ${found}`);
  return broken.map((command) => `${command} finds something after the page was followed`);
}

async function tests() {
  const report = join(folder, '.cache', 'jest.json');
  const args = ['test', '--', '--json', `--outputFile=${report}`];
  const code = await run('npm', args, inCopy);
  if (!existsSync(report)) return [`npm test left no report (code ${code})`];
  const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites } = JSON.parse(readFileSync(report, 'utf8'));
  say(`npm test: ${numPassedTests} passed, ${numFailedTests + numRuntimeErrorTestSuites} failed`);
  return code === 0 ? [] : ['npm test is not green after the page was followed'];
}
