import { readFileSync } from 'node:fs';
import type { Cluster, Redis } from 'ioredis';

/** The kinds of connection that the store runs on. Every script touches one slot, so it runs on both alike. */
export type RedisConnection = Redis | Cluster;

const NAMES = [
  'begin',
  'peek',
  'commit',
  'write',
  'invalidate',
  'flush',
  'release',
  'renew',
  'sweep',
  'adopt',
  'beat',
  'pend',
  'leave',
  'extend',
  'stale',
  'claim',
] as const;
export type ScriptName = (typeof NAMES)[number];
export type ScriptArgument = string | number | Buffer;

const PREFIX = 'evergreen_';

/** The script as Redis runs it: its `#!` line, which must come first, then the shared part, then its own body. */
function source(name: ScriptName): string {
  const read = (file: string) => readFileSync(new URL(`../lua/${file}.lua`, import.meta.url), 'utf8');
  const [, shebang = '', body = ''] = /^(#!.*\n)?([^]*)$/.exec(read(name)) ?? [];
  return shebang + read('_partition') + body;
}

/** Defines the scripts as commands of this connection; ioredis sends a hash, and the text where the server lacks it. */
export function defineScripts(redis: RedisConnection): void {
  for (const name of NAMES) redis.defineCommand(PREFIX + name, { numberOfKeys: 1, lua: source(name) });
}

/** Runs a script on the partition whose gate is `gateKey` (`claim`: on this key). Strings in the reply are buffers. */
export function runScript(
  redis: RedisConnection,
  name: ScriptName,
  gateKey: string,
  args: readonly ScriptArgument[],
): Promise<unknown> {
  const commands = redis as unknown as Record<string, (...args: ScriptArgument[]) => Promise<unknown>>;
  const command = commands[`${PREFIX}${name}Buffer`] as (...args: ScriptArgument[]) => Promise<unknown>;
  return command.call(redis, gateKey, ...args);
}

/** Thrown when a script gives a reply that its header does not name: a defect of ours, never an operating error. */
export class UnknownReplyError extends Error {
  constructor(script: ScriptName, reply: unknown) {
    super(`the script ${script} answered ${String(reply)}, which its callers do not know`);
    this.name = 'UnknownReplyError';
  }
}
