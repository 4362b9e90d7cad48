import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureBuilt, root, stop } from '../workspace.mjs';
import { ownKeys } from './own-keys.mjs';

/**
 * `node tools/start/start-one.mjs <app>`: builds if needed, then runs the app in this process, with its signals and its
 * output.
 */
const apps = ['bff', 'cdc-worker', 'sandbox'];
const app =
  apps.find((name) => name === process.argv[2]) ?? stop(`usage: node tools/start/start-one.mjs ${apps.join('|')}`);
await ensureBuilt();
process.chdir(root);
if (existsSync('.env')) process.loadEnvFile('.env');
Object.assign(process.env, ownKeys(process.env));
await import(pathToFileURL(join(root, 'dist', 'apps', app, 'src', 'main.js')).href);
