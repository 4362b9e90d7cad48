import { execFileSync } from 'node:child_process';

/** The paths of all files in the repository that match `name`. */
export function trackedFiles(name: RegExp): string[] {
  return execFileSync('git', ['ls-files'], { encoding: 'utf8' })
    .split('\n')
    .filter((file) => name.test(file));
}
