import { existsSync, readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import type { ConfigProblem } from './config.errors.js';
import { documentationIn, type VariableShapes } from './documented-variable.js';
import { masked } from './mask.js';

/** The variables of a process, as Node gives them. */
export type RawEnvironment = Readonly<Record<string, string | undefined>>;

/**
 * The values of the variables that passed their own check, the problems of the others, and the names of all variables
 * of the environment that are not empty.
 */
export interface ReadVariables {
  readonly values: Readonly<Record<string, unknown>>;
  readonly given: ReadonlySet<string>;
  readonly problems: readonly ConfigProblem[];
}

/** The process's own variables override those of the `.env` file of the working directory, if there is one. */
export function processEnvironment(): RawEnvironment {
  return existsSync('.env') ? { ...parseEnv(readFileSync('.env', 'utf8')), ...process.env } : process.env;
}

/** Checks each of these variables by itself. An empty variable counts as not set. */
export function readVariables(shapes: VariableShapes, env: RawEnvironment): ReadVariables {
  const given = Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1].trim() !== ''),
  );
  const values: Record<string, unknown> = {};
  const problems: ConfigProblem[] = [];
  for (const name of Object.keys(shapes)) {
    const result = shapes[name]?.safeParse(given[name]?.trim());
    const { expected, secret } = documentationIn(shapes, name);
    if (result?.success) values[name] = result.data;
    else problems.push({ name, given: masked(given[name], secret), expected });
  }
  return { values, given: new Set(Object.keys(given)), problems };
}

/** Freezes the value with everything in it, and returns it. A part that is already frozen is not looked into. */
export function deepFreeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) {
    if (typeof part === 'object' && part !== null && !Object.isFrozen(part)) deepFreeze(part as object);
  }
  return Object.freeze(value);
}
