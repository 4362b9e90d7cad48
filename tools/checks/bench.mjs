import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ensureRedisServer } from '../machine/redis-server.mjs';
import { answerHelp, usageIn } from '../usage.mjs';
import { ensureBuilt, modifiedAt, root, run, say, stop } from '../workspace.mjs';

/**
 * `npm run bench`: measures the built cache, its peers (other caches) and its floors (the bare operations to compare it
 * with) in one run, on private Redis servers. test/checks/bench/options.ts explains the options.
 */
answerHelp(usageIn('test/checks/bench/options.ts'));
const flags = process.argv.slice(2);
if (!flags.includes('--no-peers')) await installPeers();
await ensureBuilt();
if (!(await ensureRedisServer())) stop('The benchmark needs redis-server 7 or later: install it and try again.');
const program = flags.includes('--comparison') ? join('comparison', 'main.js') : 'main.js';
process.exitCode = await run(process.execPath, [join(root, 'dist', 'test', 'checks', 'bench', program), ...flags]);
if (flags.includes('--write')) await run(process.execPath, ['tools/pages/wrap-markdown.mjs', 'docs/benchmarks.md']);

/** Installs the peers from a lock file beside the benchmark. The tables omit peers that cannot be installed. */
async function installPeers() {
  const folder = join(root, 'test', 'checks', 'bench');
  const installed = join(folder, 'node_modules', '.package-lock.json');
  if (existsSync(installed) && modifiedAt(installed) >= modifiedAt(join(folder, 'package-lock.json'))) return;
  say('Installing the peers (npm ci in test/checks/bench) …');
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error', '--ignore-scripts'];
  const code = await run('npm', args, { cwd: folder, shell: process.platform === 'win32' });
  if (code !== 0) say('The peers could not be installed: measuring without those that are missing.');
}
