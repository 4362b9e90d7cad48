import { spawn } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { step } from './steps.mjs';

/** How many last characters of the output of a quiet program are kept. */
const OUTPUT_MAX = 200_000;

/** The folder of the checkout. */
export const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Written by `tools/build.mjs` on success; its modification time is the start of the build. */
export const buildStamp = join(root, 'dist', '.built');

/**
 * The sources whose change makes a new build necessary. Specs do not count, and other folders of tests are not built.
 */
const sources = [
  'apps',
  'libs',
  'test/support',
  'test/checks',
  'nest-cli.json',
  'tsconfig.json',
  'tsconfig.build.json',
];

/** Runs a program in the checkout with our own streams; resolves with its exit code, or 1 after a signal. */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit', ...options });
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

/** Runs a program in the checkout; resolves with its exit code (1 after a signal), and the end of what it wrote. */
export function runQuietly(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], ...options });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => (output = `${output}${chunk}`.slice(-OUTPUT_MAX)));
    }
    child.once('error', reject);
    child.once('close', (code) => resolve({ code: code ?? 1, output }));
  });
}

/** Runs npm as `runQuietly` does: the npm that runs this tool, if there is one. */
export function runNpm(args, options = {}) {
  const npm = process.env.npm_execpath;
  return npm?.endsWith('.js')
    ? runQuietly(process.execPath, [npm, ...args], options)
    : runQuietly('npm', args, { shell: process.platform === 'win32', ...options });
}

/** The start file of an installed package's program; Node runs it the same way on every system. */
export function programOf(packageName, program = packageName) {
  const require = createRequire(join(root, 'package.json'));
  const file = join(root, 'node_modules', packageName, 'package.json');
  const { bin } = require(file);
  return join(dirname(file), typeof bin === 'string' ? bin : bin[program]);
}

/**
 * Installs exactly what the lock file names, unless already done since it last changed. Ends the process on failure.
 */
export async function ensureInstalled() {
  const installed = modifiedAt(join(root, 'node_modules', '.package-lock.json'));
  if (installed >= modifiedAt(join(root, 'package-lock.json'))) return;
  const folder = lstatSync(join(root, 'node_modules'), { throwIfNoEntry: false });
  // npm ci would empty the linked folder, which belongs to another checkout.
  if (folder?.isSymbolicLink()) stop('node_modules is a link to another folder: remove the link, and try again.');
  // Development dependencies build and test the product, even where NODE_ENV is production.
  const args = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  const { code, output } = await step('Installing dependencies (npm ci)', () => runNpm(args));
  if (code !== 0)
    stop(`${output}\nnpm ci failed: see its message above. It needs the npm registry, or a filled npm cache.`);
}

/** Builds unless already done since the newest source changed. Ends the process on failure. */
export async function ensureBuilt() {
  await ensureInstalled();
  const newest = Math.max(...sources.map((source) => newestIn(join(root, source))));
  if (modifiedAt(buildStamp) >= newest) return;
  const code = await run(process.execPath, [join(root, 'tools', 'build.mjs')]);
  if (code !== 0) stop('The build failed: see its messages above.');
}

/** Prints a line for the person who runs the tool. */
export function say(text) {
  process.stdout.write(`${text}\n`);
}

/** Ends the tool with a reason. */
export function stop(reason) {
  process.stderr.write(`${reason}\n`);
  process.exit(1);
}

/** When the file was last modified, in milliseconds since 1970; 0 if it does not exist. */
export function modifiedAt(file) {
  return existsSync(file) ? statSync(file).mtimeMs : 0;
}

function newestIn(path) {
  if (!existsSync(path)) return 0;
  const { mtimeMs } = statSync(path);
  if (!statSync(path).isDirectory()) return /\.spec\.ts$/.test(path) ? 0 : mtimeMs;
  const inside = readdirSync(path).filter((name) => name !== 'node_modules');
  return Math.max(0, ...inside.map((name) => newestIn(join(path, name))));
}
