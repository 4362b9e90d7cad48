import type { RedisClient } from './redis-client.js';

/** What a part of a process needs to be allowed to do in one slot of Redis. */
export interface Need {
  /** What is refused if something is missing, as the end of the sentence "Redis refuses …". */
  readonly part: string;
  /** Keys that are read and written, one of each kind. They may exist: looking at them changes nothing. */
  readonly keys: readonly string[];
  /** What all of these keys, and no others, match; as an ACL has it. */
  readonly keyPattern: string;
  /** A key that nothing else uses, for trying commands. Without it none is tried. */
  readonly scratchKey?: string;
  /** In capitals; with its subcommand where only that is needed: `MEMORY USAGE`. */
  readonly commands: readonly string[];
  readonly channels?: readonly Channel[];
}

/** A channel on which something is published, and the pattern of an ACL that allows it. An empty message must say nothing. */
export interface Channel {
  readonly name: string;
  readonly pattern: string;
}

const registers = new WeakMap<RedisClient, Map<string, Need>>();

/**
 * What everything on a connection needs beside the cache itself, by part: the cache examines it together with its own
 * permissions, once a second, and health shows what is missing.
 */
export function needsOf(client: RedisClient): Map<string, Need> {
  let register = registers.get(client);
  if (!register) registers.set(client, (register = new Map<string, Need>()));
  return register;
}

/** The commands that a script calls, in capitals. It must name each of them as text, not by a variable. */
export function commandsIn(lua: string): string[] {
  const calls = lua.matchAll(/(?:\bR|redis\.p?call)\('([A-Za-z]+)'/g);
  return [...new Set([...calls].map(([, name = '']) => name.toUpperCase()))].sort();
}
