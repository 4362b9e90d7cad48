import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { longSubjects } from './commit-subjects.js';

const rule = 'at most 72 characters: say why in the body; git rebase -i rewords what has not landed';

describe('the subjects of commits', () => {
  it(`have ${rule}`, () => {
    expect(longSubjects('.', 'test/tooling/commit-subjects.spec.ts')).toEqual([]);
  });
});

describe('a subject that is too long', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'evergreen-commits-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const long = 'a'.repeat(73);
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.com', ...args], {
      cwd: folder,
      env: { PATH: process.env['PATH'], HOME: folder }, // without the machine's git settings and a hook's GIT_DIR
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  const commit = (subject: string, ...args: string[]) =>
    git('commit', '--quiet', '--allow-empty', '-m', subject, '-m', long, ...args);
  const found = (checkout = folder) => longSubjects(checkout, 'rule').map((line) => line.replace(/^\w+ /, ''));
  const beginRule = () => {
    git('init', '--quiet', '--initial-branch=main');
    commit(`${long} before`);
    writeFileSync(join(folder, 'rule'), '');
    git('add', 'rule');
    commit(`${long} with the rule`);
  };

  it('is found after the rule was added, and not before', () => {
    beginRule();
    commit('€'.repeat(72));
    commit(`${long} after`);
    expect(found()).toEqual([`${long} after`]);
  });

  it('is allowed in a merge, and in a commit that someone other than its author made', () => {
    beginRule();
    git('checkout', '--quiet', '-b', 'other');
    commit('short');
    git('checkout', '--quiet', 'main');
    git('merge', '--quiet', '--no-ff', '-m', `${long} merge`, 'other');
    commit(`${long} landed`, '--author=b <b@example.com>');
    expect(git('log', '--format=%s')).toContain(`${long} merge`);
    expect(found()).toEqual([]);
  });

  it('is not looked for beyond a shallow clone, nor where there is no repository', () => {
    expect(found()).toEqual([]);
    beginRule();
    commit(`${long} beyond`);
    commit(`${long} oldest`);
    commit(`${long} after`);
    git('clone', '--quiet', '--depth=2', `file://${folder}`, 'clone');
    expect(found(join(folder, 'clone'))).toEqual([`${long} after`]);
  });
});
