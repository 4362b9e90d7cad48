import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

const { filesOnPage, followPage, patched } = (await import(resolve('tools/pages/page-files.mjs'))) as {
  filesOnPage: (text: string) => { file: string; language: string; code: string }[];
  followPage: (text: string, folder: string) => string[];
  patched: (text: string, diff: string, file: string) => string;
};

describe('a diff on a page', () => {
  const text = 'one\ntwo\nthree\n';

  it('adds and removes lines at their context, hunk by hunk', () => {
    expect(patched(text, '+zero\n one\n@@\n-two\n+2\n three\n', 'f')).toBe('zero\none\n2\nthree\n');
    expect(patched(text, ' three\n+four\n', 'f')).toBe('one\ntwo\nthree\nfour\n');
  });

  it('is refused where its lines are missing, or there twice', () => {
    expect(() => patched(text, ' four\n+five\n', 'a/f.ts')).toThrow(/0 times in a\/f\.ts, not once: correct the page/);
    expect(() => patched(`${text}${text}`, ' two\n+2\n', 'f')).toThrow(/2 times/);
    expect(() => patched(text, '-tw\n+2\n', 'f')).toThrow(/0 times/);
  });
});

describe('docs/how-to/adding-a-cache.md', () => {
  const page = readFileSync('docs/how-to/adding-a-cache.md', 'utf8');
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'evergreen-page-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('[N1] has diffs that fit the files of the tree (correct the page where one does not)', () => {
    const created = new Set(filesOnPage(page).flatMap(({ file, language }) => (language === 'diff' ? [] : [file])));
    for (const { file } of filesOnPage(page).filter((block) => !created.has(block.file))) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      cpSync(file, join(folder, file));
    }
    expect(followPage(page, folder)).toEqual(expect.arrayContaining([...created]));
    const list = readFileSync(join(folder, 'libs/modules/src/change-driven-modules.ts'), 'utf8');
    expect(list).toMatch(/^ {2}CasesModule,$/m);
    expect(() => followPage(page, folder)).toThrow(/which exists/);
  });
});
