import { join } from 'node:path';
import { answerHelp, usageIn } from './usage.mjs';
import { ensureBuilt, root, run } from './workspace.mjs';

/** `npm run drop -- <what>`: builds if needed, then drops entries of the cache (docs/how-to/drop-by-hand.md). */
answerHelp(usageIn('apps/cdc-worker/src/drop/drop-request.ts'));
await ensureBuilt();
const program = join(root, 'dist', 'apps', 'cdc-worker', 'src', 'drop-main.js');
process.exitCode = await run(process.execPath, [program, ...process.argv.slice(2)]);
