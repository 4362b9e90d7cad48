import { execFileSync } from 'node:child_process';

/** The files of the repository whose names match. */
export function trackedFiles(name: RegExp): string[] {
  return execFileSync('git', ['ls-files'], { encoding: 'utf8' })
    .split('\n')
    .filter((file) => name.test(file));
}
