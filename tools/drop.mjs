import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { ownKeys } from './start/own-keys.mjs';
import { answerHelp, usageIn } from './usage.mjs';
import { ensureBuilt, root, run } from './workspace.mjs';

/** `npm run drop -- <what>`: builds if needed, then drops entries of the cache (docs/how-to/drop-by-hand.md). */
answerHelp(usageIn('apps/cdc-worker/src/drop/drop-request.ts'));
await ensureBuilt();
const program = join(root, 'dist', 'apps', 'cdc-worker', 'src', 'drop-main.js');
const file = join(root, '.env');
const ofFile = existsSync(file) ? parseEnv(readFileSync(file, 'utf8')) : {};
const env = { ...process.env, ...ownKeys({ ...ofFile, ...process.env }) };
process.exitCode = await run(process.execPath, [program, ...process.argv.slice(2)], { env });
