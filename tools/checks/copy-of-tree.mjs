import { execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { root } from '../workspace.mjs';
import { filesOnPage, followPage } from '../pages/page-files.mjs';

/** The page that the copy follows. */
export const PAGE = 'docs/how-to/adding-a-cache.md';

/** How long `npm start` may take in the copy, its build included. */
const START_MS = 420_000;

/**
 * Copies the working tree to `folder` as a clone of its own, with its history and without what git ignores, follows the
 * page there to the letter, and commits that. Returns the paths of the files that the page touches.
 */
export function copyThatFollowsThePage(folder) {
  execFileSync('git', ['clone', '--quiet', '--no-checkout', root, folder], { stdio: ['ignore', 'ignore', 'inherit'] });
  const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '-z'], { cwd: root, encoding: 'utf8' });
  for (const file of files.split('\0')) {
    if (file === '' || file === 'node_modules' || !existsSync(join(root, file))) continue;
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    cpSync(join(root, file), join(folder, file), { preserveTimestamps: true });
  }
  const git = (...args) => execFileSync('git', args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  const page = readFileSync(join(folder, PAGE), 'utf8');
  const created = filesOnPage(page).filter(({ language }) => language !== 'diff');
  // A tree in which somebody has followed the page already is checked as it is.
  const isFollowed = created.every(({ file }) => existsSync(join(folder, file)));
  const touched = isFollowed ? [...new Set(filesOnPage(page).map(({ file }) => file))] : followPage(page, folder);
  git('add', '--all');
  git(
    '-c',
    'user.name=newcomer',
    '-c',
    'user.email=newcomer@example.org',
    'commit',
    '--allow-empty', // in a tree in which the page has been followed already
    '--quiet',
    '-m',
    'Follow the page',
  );
  return touched;
}

/**
 * Runs `npm start` in the folder, without Redis and on free ports, and calls `use` with the addresses once it is ready.
 * Resolves after it has ended as Ctrl-C ends it, with its exit code and its output. Rejects if it ends before it is
 * ready, or takes longer than seven minutes.
 */
export async function whileStarted(folder, use) {
  const ports = await freePorts(3);
  const [port, sandboxPort, grpcPort] = ports.map(String);
  const env = { ...process.env, PORT: port, SANDBOX_PORT: sandboxPort, SANDBOX_GRPC_PORT: grpcPort, REDIS_URL: '' };
  const child = spawn(process.execPath, ['tools/start/start.mjs'], { cwd: folder, env, stdio: 'pipe' });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const ended = new Promise((resolve) => child.once('close', resolve));
  try {
    await until(() => output.includes('Ctrl-C stops everything.') || child.exitCode !== null, START_MS);
    if (!output.includes('Ctrl-C stops everything.')) throw new Error(`npm start is not ready:\n${output}`);
    await use({ bff: `http://127.0.0.1:${port}`, sandbox: `http://127.0.0.1:${sandboxPort}` });
  } finally {
    child.kill('SIGINT');
    await ended;
  }
  return { code: child.exitCode, output };
}

/** The statuses that a newcomer looks at: of `/health`, and of the stream of change events with the feeds it follows. */
export async function healthAt(bff) {
  const answer = async (path) => (await fetch(bff + path, { signal: AbortSignal.timeout(10_000) })).json();
  const { status } = await answer('/health');
  const { status: events, feeds } = await answer('/health/sf-events');
  return { status, events, feeds: feeds.map(({ feed, state }) => `${feed} ${state}`) };
}

async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => new Promise((resolve) => server.once('listening', resolve))));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

async function until(condition, withinMs) {
  const deadline = Date.now() + withinMs;
  while (!condition() && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 100));
}
