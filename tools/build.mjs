import { cpSync, mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { step } from './steps.mjs';
import { answerHelp } from './usage.mjs';
import { buildStamp, ensureInstalled, programOf, root, runQuietly, stop } from './workspace.mjs';

const USAGE = `npm run build
  Installs what is missing, and builds the apps, the libraries and the programs that tests start into dist/.`;

/** `test` holds the programs that tests and benchmarks start as separate processes. */
const projects = ['bff', 'cdc-worker', 'sandbox', 'test'];

answerHelp(USAGE);
await ensureInstalled();
const startedAt = new Date();
rmSync(buildStamp, { force: true });
// Two at a time: each keeps one core busy. Both write the same files of libs with the same content.
for (let next = 0; next < projects.length; next += 2) {
  const pair = projects.slice(next, next + 2);
  const text = `Building ${pair.join(' and ')} (${next + pair.length} of ${projects.length})`;
  const results = await step(text, () => Promise.all(pair.map(build)));
  for (const { output } of results) process.stderr.write(output);
  if (results.some(({ code }) => code !== 0)) stop('The build failed.');
}
for (const folder of ['libs', 'apps']) copyWhatIsNotCompiled(join(root, folder));
writeFileSync(buildStamp, '');
utimesSync(buildStamp, startedAt, startedAt);

function build(project) {
  return runQuietly(process.execPath, [programOf('@nestjs/cli', 'nest'), 'build', project]);
}

/**
 * Copies what the compiler skips and the built files read from their own folder: Lua scripts, protocol definitions,
 * pages.
 */
function copyWhatIsNotCompiled(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) copyWhatIsNotCompiled(path);
    if (!entry.isFile() || !/\.(lua|proto|html|css|mjs)$/.test(entry.name)) continue;
    const target = join(root, 'dist', relative(root, path));
    mkdirSync(dirname(target), { recursive: true });
    cpSync(path, target);
  }
}
