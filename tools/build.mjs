import { cpSync, mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { step } from './steps.mjs';
import { answerHelp } from './usage.mjs';
import { buildStamp, ensureInstalled, programOf, root, runQuietly, stop } from './workspace.mjs';

const USAGE = `npm run build
  Installs what is missing, and builds the apps, the libraries and the programs that tests start into dist/.`;

answerHelp(USAGE);
await ensureInstalled();
const startedAt = new Date();
rmSync(buildStamp, { force: true });
// One compilation of everything takes a third of the work of one per program: each would compile the libraries again.
const { code, output } = await step('Building apps, libraries and the programs of tests', () =>
  runQuietly(process.execPath, [programOf('@nestjs/cli', 'nest'), 'build', '--path', 'tsconfig.build.json']),
);
process.stderr.write(output);
if (code !== 0) stop('The build failed.');
for (const folder of ['libs', 'apps']) copyWhatIsNotCompiled(join(root, folder));
writeFileSync(buildStamp, '');
utimesSync(buildStamp, startedAt, startedAt);

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
