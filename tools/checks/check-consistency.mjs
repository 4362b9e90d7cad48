import { join } from 'node:path';
import { ensureRedisServer } from '../machine/redis-server.mjs';
import { answerHelp, usageIn } from '../usage.mjs';
import { ensureBuilt, root, run, stop } from '../workspace.mjs';

/**
 * `npm run check:consistency`: runs several processes of the built cache, injects faults, and verifies that no read was
 * older than promised. test/checks/consistency/options.ts and docs/testing/consistency.md explain the options.
 */
answerHelp(usageIn('test/checks/consistency/options.ts'));
await ensureBuilt();
if (!(await ensureRedisServer())) stop('The check needs redis-server 7 or later: install it and try again.');
const program = join(root, 'dist', 'test', 'checks', 'consistency', 'main.js');
process.exitCode = await run(process.execPath, [program, ...process.argv.slice(2)]);
