import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './workspace.mjs';

/**
 * Prints the usage and ends the process with code 0 if the command line asks for it (`--help`, `-h`). Called before the
 * tool does anything, so that a question installs, builds and starts nothing.
 */
export function answerHelp(usage) {
  if (!process.argv.slice(2).some((arg) => arg === '--help' || arg === '-h')) return;
  process.stdout.write(`${usage.trim()}\n`);
  process.exit(0);
}

/**
 * The usage of a program that must be built to run, from its source: the text `USAGE`, in which a list that the program
 * computes is shown as the name of the file that holds it.
 */
export function usageIn(file) {
  const [, usage] = /^export const USAGE = `(.*?)`;$/ms.exec(readFileSync(join(root, file), 'utf8')) ?? [];
  if (usage === undefined) throw new Error(`there is no USAGE in ${file}`);
  // A computed part may hold an object, or another template.
  const computed = /\$\{(?:[^{}`]|\{[^{}]*\}|`[^`]*`)*\}/g;
  return `${usage.replaceAll(computed, `(see ${file})`)}\n  --help                      this text`;
}
