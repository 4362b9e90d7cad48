/** The given number, or the default; throws with a reason if it is outside the limits. */
export function numberOption(
  name: string,
  given: string | undefined,
  otherwise: number,
  least: number,
  most: number,
): number {
  const value = given === undefined ? otherwise : Number(given);
  if (Number.isFinite(value) && value >= least && value <= most) return value;
  throw new Error(`--${name} takes a number from ${least} to ${most}, not ${given}`);
}

/** The given name; throws with a reason if it is unknown. */
export function oneOfOption<T extends string>(name: string, given: string, known: readonly T[]): T {
  if (known.includes(given as T)) return given as T;
  throw new Error(`--${name} takes one of ${known.join(', ')}, not ${given}`);
}

/** The names given, separated by commas; none for `none`, all when nothing is given. */
export function someOfOption<T extends string>(
  name: string,
  given: string | undefined,
  known: readonly T[],
): readonly T[] {
  if (given === undefined) return known;
  return given === 'none' ? [] : given.split(',').map((each) => oneOfOption(name, each, known));
}

/** The text of `--seconds`, or else `--minutes` as seconds; undefined if neither was given. */
export function secondsGiven(values: { readonly seconds?: string; readonly minutes?: string }): string | undefined {
  return values.seconds ?? (values.minutes === undefined ? undefined : String(Number(values.minutes) * 60));
}

/**
 * The options of the command line. `--help` prints the usage and ends the process; an invalid option prints the reason
 * and the usage and ends it with exit code 2.
 */
export function readCommandLine<T extends { readonly help: boolean }>(
  readOptions: (args: readonly string[]) => T,
  usage: string,
): T {
  try {
    const read = readOptions(process.argv.slice(2));
    if (!read.help) return read;
    console.log(usage);
    return process.exit(0);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${usage}\n`);
    return process.exit(2);
  }
}
