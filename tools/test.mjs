import { ensureRedisServer } from './redis-server.mjs';
import { ensureBuilt, programOf, run, stop } from './workspace.mjs';

/** `npm test -- …`: every level, or what jest's own arguments pick. Installs and builds first what is missing. */
const args = process.argv.slice(2);
await ensureBuilt();
if (!isUnitOnly(args) && !(await ensureRedisServer())) {
  stop(
    'The tests need redis-server 7 or later, and it could not be installed here. Install it, e.g.:\n' +
      '  sudo apt-get install -y redis-server      (Debian, Ubuntu)\n' +
      '  brew install redis                        (macOS)\n' +
      'Without it: npm test -- --selectProjects unit tooling',
  );
}
// Jest runs ES modules in node's vm module, which is behind a flag.
process.exitCode = await run(process.execPath, [
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  programOf('jest'),
  ...args,
]);

/** Whether the arguments pick only levels that touch nothing outside. */
function isUnitOnly(given) {
  const at = given.findIndex((arg) => arg.startsWith('--selectProjects'));
  if (at < 0) return false;
  const [, inline] = given[at].split('=');
  const rest = given.slice(at + 1);
  const end = rest.findIndex((arg) => arg.startsWith('-'));
  const picked = [...(inline ? [inline] : []), ...rest.slice(0, end < 0 ? rest.length : end)];
  return picked.length > 0 && picked.every((name) => name === 'unit' || name === 'tooling');
}
