import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { answerHelp } from '../usage.mjs';
import { ensureBuilt, root, stop } from '../workspace.mjs';
import { ownKeys } from './own-keys.mjs';

/**
 * `node tools/start/start-one.mjs <app>`: builds if needed, then runs the app in this process, with its signals and its
 * output.
 */
const SETTINGS =
  'Settings: variables of the environment or of .env (.env.example, docs/reference/configuration.md). Ctrl-C stops it.';
const USAGES = {
  bff: `npm run start:bff
  The HTTP API, in the foreground, on PORT (3000). Needs the sandbox (npm run start:sandbox) or an org.
  Another one beside it: PORT=3001 npm run start:bff
  ${SETTINGS}`,
  'cdc-worker': `npm run start:worker
  The process that consumes change events, in the foreground; its health is on WORKER_PORT (3100). Needs REDIS_URL.
  Another one, which stands by: WORKER_PORT=3101 npm run start:worker
  ${SETTINGS}`,
  sandbox: `npm run start:sandbox
  A local Salesforce, WHMCS and token issuer, in the foreground, on SANDBOX_PORT (4000) and SANDBOX_GRPC_PORT (4001).
  ${SETTINGS}`,
};
const apps = Object.keys(USAGES);
const app =
  apps.find((name) => name === process.argv[2]) ?? stop(`usage: node tools/start/start-one.mjs ${apps.join('|')}`);
answerHelp(USAGES[app]);
await ensureBuilt();
process.chdir(root);
if (existsSync('.env')) process.loadEnvFile('.env');
Object.assign(process.env, ownKeys(process.env));
await import(pathToFileURL(join(root, 'dist', 'apps', app, 'src', 'main.js')).href);
