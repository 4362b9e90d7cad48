import { ensureChromium } from './machine/chromium.mjs';
import { ensureNginx } from './machine/nginx.mjs';
import { ensureRedisServer } from './machine/redis-server.mjs';
import { answerHelp } from './usage.mjs';
import { ensureBuilt, programOf, run, say, stop } from './workspace.mjs';

/**
 * `npm test -- …`: runs every level, or those that jest's own arguments select, after installing and building what is
 * missing.
 */
answerHelp(`npm test -- [file …] [--selectProjects LEVEL …] [options of jest]
  Installs and builds what is missing, and runs every level of tests, or those that are named:
  unit, tooling, contract, integration, consistency, e2e. All but unit and tooling need redis-server 7 or later.
    npm test -- --selectProjects unit tooling
    npm test -- libs/infra/src/config --selectProjects unit
  Options of jest: npx jest --help`);
const args = process.argv.slice(2);
await ensureBuilt();
const picked = pickedLevels(args);
const needsServers = picked.length === 0 || picked.some((name) => name !== 'unit' && name !== 'tooling');
if (needsServers && !(await ensureRedisServer())) {
  stop(
    'The tests need redis-server 7 or later, and it could not be installed here. Install it, e.g.:\n' +
      '  sudo apt-get install -y redis-server      (Debian, Ubuntu)\n' +
      '  brew install redis                        (macOS)\n' +
      'Without it: npm test -- --selectProjects unit tooling',
  );
}
if ((picked.length === 0 || picked.includes('integration')) && !(await ensureChromium())) {
  say(
    'The test of the sandbox’s page needs Chromium, which could not be installed here, and will fail. Install it, e.g.:\n' +
      '  sudo apt-get install -y chromium      (Debian, Ubuntu)\n' +
      '  brew install --cask chromium          (macOS)',
  );
}
if ((picked.length === 0 || picked.includes('e2e')) && !(await ensureNginx())) {
  say(
    'The test of the end of a process needs nginx, which could not be installed here, and will fail. Install it, e.g.:\n' +
      '  sudo apt-get install -y nginx-light      (Debian, Ubuntu)\n' +
      '  brew install nginx                       (macOS)',
  );
}
// Jest runs ES modules in Node's vm module, which needs a flag.
process.exitCode = await run(process.execPath, [
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  programOf('jest'),
  ...args,
]);

/** The levels that the arguments select; empty means all. */
function pickedLevels(given) {
  const at = given.findIndex((arg) => arg.startsWith('--selectProjects'));
  if (at < 0) return [];
  const [, inline] = given[at].split('=');
  const rest = given.slice(at + 1);
  const end = rest.findIndex((arg) => arg.startsWith('-'));
  return [...(inline ? [inline] : []), ...rest.slice(0, end < 0 ? rest.length : end)];
}
