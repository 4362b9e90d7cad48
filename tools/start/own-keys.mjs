import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { root, stop } from '../workspace.mjs';

const REDIS = ['REDIS_URL', 'REDIS_SENTINELS', 'REDIS_CLUSTER_NODES'];
const KEYS = ['CACHE_ENCRYPTION_KEYS', 'PSEUDONYM_KEY'];

/**
 * The keys that `given`, the variables of a program, does not name, as variables: keys of this checkout, made at random
 * by the first program that needs them. So all programs that are started in this checkout share keys that nobody else
 * has. With the embedded store, `PSEUDONYM_KEY` alone: its process makes a key for values itself, but a repeated order
 * is known after a restart only by the same pseudonym. None with a real org, which needs keys that every machine has.
 */
export function ownKeys(given, folder = join(root, '.cache', 'start')) {
  const needed = REDIS.some((name) => given[name]) ? KEYS : ['PSEUDONYM_KEY'];
  const missing = needed.filter((name) => !given[name]);
  if (given.SF_LOGIN_URL || missing.length === 0) return {};
  const file = join(folder, 'keys.env');
  if (!existsSync(file)) make(folder, file);
  const keys = parseEnv(readFileSync(file, 'utf8'));
  if (KEYS.some((name) => !keys[name])) stop(`${file} is damaged: remove it, and start all programs again.`);
  return Object.fromEntries(missing.map((name) => [name, keys[name]]));
}

/** Makes the file readable by its owner alone, and whole at once; another program may have made it just before. */
function make(folder, file) {
  const key = () => randomBytes(32).toString('base64');
  const text = `# Keys of this checkout, for the sandbox. Remove the file to get new ones.\n${KEYS[0]}=local:${key()}\n${KEYS[1]}=${key()}\n`;
  mkdirSync(folder, { recursive: true });
  const draft = `${file}.${randomUUID()}`;
  writeFileSync(draft, text, { mode: 0o600 });
  try {
    linkSync(draft, file);
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft);
  }
}
