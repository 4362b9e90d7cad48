import { join } from 'node:path';
import { ensureRedisServer } from './redis-server.mjs';
import { ensureBuilt, root, run, stop } from './workspace.mjs';

/** `npm run bench`: measures the built cache against its floors in one run, on a private Redis. */
await ensureBuilt();
if (!(await ensureRedisServer())) stop('The benchmark needs redis-server 7 or later: install it and try again.');
process.exitCode = await run(process.execPath, [join(root, 'dist', 'test', 'bench', 'main.js')]);
