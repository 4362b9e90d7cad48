import { join } from 'node:path';
import { ensureRedisServer } from '../machine/redis-server.mjs';
import { answerHelp, usageIn } from '../usage.mjs';
import { ensureBuilt, root, run, stop } from '../workspace.mjs';

/**
 * `npm run check:change-events`: runs sandbox, Redis, BFFs and workers as processes, injects faults, and compares every
 * cached value with the org's records. test/checks/soak/options.ts and docs/testing/soak.md explain the options.
 */
answerHelp(usageIn('test/checks/soak/options.ts'));
await ensureBuilt();
if (!(await ensureRedisServer())) stop('The soak needs redis-server 7 or later: install it and try again.');
const program = join(root, 'dist', 'test', 'checks', 'soak', 'main.js');
process.exitCode = await run(process.execPath, [program, ...process.argv.slice(2)]);
