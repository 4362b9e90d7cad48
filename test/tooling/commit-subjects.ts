import { execFileSync } from 'node:child_process';

const SUBJECT_MAX = 72;

/**
 * The commits of a checkout since the one that added `file`, with a subject of more than 72 characters, each as "hash
 * subject". Merges are left out, and commits that someone other than their author committed: their subjects are not
 * ours. Nothing is found outside a repository, without git, or before the oldest commit of a shallow clone.
 */
export function longSubjects(checkout: string, file: string): string[] {
  const addedBy = gitLines(checkout, 'log', '--diff-filter=A', '--format=%H', '--', file).at(-1);
  if (addedBy === undefined) return [];
  return gitLines(checkout, 'log', '--no-merges', '--format=%h%x00%ae%x00%ce%x00%s', `${addedBy}..HEAD`)
    .map((line) => line.split('\0') as [string, string, string, string])
    .filter(([, author, committer, subject]) => author === committer && [...subject].length > SUBJECT_MAX)
    .map(([hash, , , subject]) => `${hash} ${subject}`);
}

function gitLines(checkout: string, ...args: string[]): string[] {
  try {
    const output = execFileSync('git', args, { cwd: checkout, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return output.split('\n').filter((line) => line !== '');
  } catch {
    return []; // no repository, or no git
  }
}
