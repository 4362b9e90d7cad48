/** One error in the configuration, in words that say what to do. */
export interface ConfigProblem {
  /** The environment variable to change. */
  readonly name: string;
  /** The given value, masked if it is secret; undefined when it is missing. */
  readonly given: string | undefined;
  /** What would be right, as the end of the sentence "expected …". */
  readonly expected: string;
}

/** The problem of a variable that is needed and not set. */
export function missing(name: string, expected: string): ConfigProblem {
  return { name, given: undefined, expected };
}

/** The configuration cannot be used. The message lists every problem at once, and never holds a secret. */
export class ConfigError extends Error {
  readonly code = 'CONFIG_INVALID';
  readonly retryable = false;

  constructor(readonly problems: readonly ConfigProblem[]) {
    super(`The configuration has ${count(problems.length)}:\n${problems.map(line).join('\n')}`);
    this.name = 'ConfigError';
  }
}

function count(problems: number): string {
  return problems === 1 ? 'a problem' : `${problems} problems`;
}

function line({ name, given, expected }: ConfigProblem): string {
  return `  - ${name} ${given === undefined ? 'is not set' : `is ${given}`}: expected ${expected}`;
}
