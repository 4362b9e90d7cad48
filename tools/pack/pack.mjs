import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { step } from '../steps.mjs';
import { answerHelp } from '../usage.mjs';
import { ensureInstalled, root, runNpm, say, stop } from '../workspace.mjs';
import { manifestOf } from './manifest.mjs';
import { DEFAULT_NAME, packOptions } from './options.mjs';

const USAGE = `npm run pack -- [--name=NAME] [--version=VERSION] [--out=FOLDER]
  Makes a tarball of the cache, without the portal: what package/ gives away, and all that this needs. The last line is
  its path, for npm install or npm publish.
  --name=NAME        the name of the package, else EVERGREEN_PACKAGE_NAME, else ${DEFAULT_NAME}
  --version=VERSION  its version, else EVERGREEN_PACKAGE_VERSION, else that of the project
  --out=FOLDER       where the tarball goes, else .cache/package
  --help             this text`;

answerHelp(USAGE);
const project = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const options = readOptions();
const out = resolve(options.out ?? join(root, '.cache', 'package'));
await ensureInstalled();
const staged = mkdtempSync(join(tmpdir(), 'evergreen-package-'));
process.once('exit', () => rmSync(staged, { recursive: true, force: true }));
await step('Compiling the cache and its types', writeContent).catch((error) => stop(error.message));
mkdirSync(out, { recursive: true });
const tarball = join(out, `${options.name.replace('@', '').replace('/', '-')}-${options.version}.tgz`);
rmSync(tarball, { force: true });
const args = ['pack', '--ignore-scripts', '--loglevel=error', '--pack-destination', out];
const { output } = await step('Packing it (npm pack)', () => runNpm(args, { cwd: staged }));
if (!existsSync(tarball)) stop(`${output}\nnpm pack left no ${tarball}.`);
say(tarball);

function readOptions() {
  try {
    return packOptions(process.argv.slice(2), process.env, project.version);
  } catch (error) {
    process.stderr.write(`${error.message}\n\n${USAGE}\n`);
    process.exit(2);
  }
}

/** Writes what the tarball has in it to the folder `staged`. */
async function writeContent() {
  const { compilePackage, ENTRIES } = await import('./compile.mjs'); // it needs what has just been installed
  const { files, packages } = compilePackage();
  for (const [path, text] of files) write(join('dist', path), text);
  for (const folder of ['cache', 'redis', 'process']) copyScripts(folder);
  const page = readFileSync(join(root, 'package', 'README.md'), 'utf8');
  write('README.md', page.replaceAll(DEFAULT_NAME, options.name));
  cpSync(join(root, 'LICENSE'), join(staged, 'LICENSE'));
  write('package.json', `${JSON.stringify(manifestOf(project, packages, ENTRIES, options), null, 2)}\n`);
}

/** Copies the Lua scripts of a folder of infra, which the compiled files read from beside them. */
function copyScripts(folder) {
  const from = join(root, 'libs', 'infra', 'src', folder);
  for (const file of readdirSync(from, { recursive: true }).filter((name) => name.endsWith('.lua'))) {
    cpSync(join(from, file), join(staged, 'dist', folder, file));
  }
}

function write(path, text) {
  const target = join(staged, path);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, text);
}
