import type { RedisClient } from './redis-client.js';

/** Permissions that a part of a process needs in one slot of Redis. */
export interface Need {
  /** The end of the sentence "Redis refuses …" when a permission is missing. */
  readonly part: string;
  /** Keys that are read and written, one of each kind. They may exist: examining them changes nothing. */
  readonly keys: readonly string[];
  /** ACL pattern that matches all of these keys and no others. */
  readonly keyPattern: string;
  /** A key that nothing else uses, for trying commands. Without it no command is tried. */
  readonly scratchKey?: string;
  /** Names in capitals; with the subcommand if only that is needed: `MEMORY USAGE`. */
  readonly commands: readonly string[];
  readonly channels?: readonly Channel[];
}

/** A channel to publish on, and the ACL pattern that allows it. Listeners must ignore an empty message: a trial. */
export interface Channel {
  readonly name: string;
  readonly pattern: string;
}

const registers = new WeakMap<RedisClient, Map<string, Need>>();

/**
 * What the parts of a process need on this connection, except the cache. Each part enters its own need, under a Redis
 * key of its own. The cache examines these needs together with its own, once a second, and health shows which
 * permissions are missing.
 */
export function needsOf(client: RedisClient): Map<string, Need> {
  let register = registers.get(client);
  if (!register) registers.set(client, (register = new Map<string, Need>()));
  return register;
}

/** The commands that a script calls, in capitals. The script must name each command literally, not by a variable. */
export function commandsIn(lua: string): string[] {
  const calls = lua.matchAll(/(?:\bR|redis\.p?call)\('([A-Za-z]+)'/g);
  return [...new Set([...calls].map(([, name = '']) => name.toUpperCase()))].sort();
}
