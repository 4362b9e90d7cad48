import { join } from 'node:path';
import { ensureRedisServer } from './redis-server.mjs';
import { ensureBuilt, root, run, stop } from './workspace.mjs';

/**
 * `npm run check:consistency`: several processes of the built cache, faults, and a verifier that decides whether a read was
 * ever older than promised. Its options are explained in test/consistency/checker/options.ts and
 * docs/operating/consistency-check.md.
 */
await ensureBuilt();
if (!(await ensureRedisServer())) stop('The check needs redis-server 7 or later: install it and try again.');
const program = join(root, 'dist', 'test', 'consistency', 'checker', 'main.js');
process.exitCode = await run(process.execPath, [program, ...process.argv.slice(2)]);
