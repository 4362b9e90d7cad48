import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { trackedFiles } from './tracked-files.js';

const { wrapMarkdown } = (await import(resolve('tools/pages/markdown-text.mjs'))) as {
  wrapMarkdown: (text: string, width?: number) => string;
};
const lines = (...each: string[]) => `${each.join('\n')}\n`;

describe('a wrapped page', () => {
  it.each([
    ['a paragraph', ['one two three four', 'five'], ['one two three', 'four five']],
    ['an item, with a hanging indent', ['- one two three four', '- five'], ['- one two', '  three four', '- five']],
    ['a numbered item', ['12. one two three', '    four'], ['12. one two', '    three four']],
    ['an item inside an item', ['- one', '  - two three four'], ['- one', '  - two three', '    four']],
    ['an item continued without an indent', ['- one', 'two three'], ['- one two', '  three']],
    ['a second paragraph of an item', ['- one', '', '  two three four'], ['- one', '', '  two three', '  four']],
    ['a quote', ['> one two three', '> four'], ['> one two', '> three four']],
    ['an item in a quote', ['> - one two three'], ['> - one two', '>   three']],
    ['words longer than a line', ['a https://example.com/page b'], ['a', 'https://example.com/page', 'b']],
    [
      'both sides of a hard break',
      ['one two three four  ', 'five\\', 'six'],
      ['one two three', 'four  ', 'five\\', 'six'],
    ],
    ['letters, however many bytes they take', ['€€€ €€€ €€€ €€€'], ['€€€ €€€ €€€', '€€€']],
  ])('fills %s', (_, before, after) => {
    expect(wrapMarkdown(lines(...before), 14)).toBe(lines(...after));
  });

  it.each([
    ['a heading', ['# One two three four', '', 'One two', '========']],
    ['a table', ['| one two | three four |', '| --- | --- |', '| five six | seven eight |']],
    ['a table without outer bars', ['one two | three four', '--- | ---', 'five six | seven eight']],
    ['fenced code', ['```sh', 'one two three four', '# five', '```', '', '~~~', 'one two three four', '```', '~~~']],
    ['fenced code in an item', ['- one', '', '  ```', '  one two three four', '  ```']],
    ['indented code', ['one', '', '    one two three four']],
    ['HTML', ['<div>', 'one two three four', '</div>', '', '<!-- one two', '', 'three four -->']],
    ['the target of a reference', ['[one two three]: https://example.com', '[two]: https://example.com']],
    ['front matter', ['---', 'title: one two three four', '---', '', 'one']],
    ['a rule', ['one', '', '* * * * * * * * * * *']],
    ['the mark of a note', ['> [!NOTE]', '> one two']],
  ])('keeps %s', (_, text) => {
    expect(wrapMarkdown(lines(...text), 14)).toBe(lines(...text));
  });

  it.each([
    ['inline code', 'one `two three four five` six', ['one', '`two three four five`', 'six']],
    ['code that holds ticks', 'one ``two ` three four``', ['one', '``two ` three four``']],
    [
      'the address of a link',
      '[one two](three-four "five six") seven',
      ['[one', 'two](three-four "five six")', 'seven'],
    ],
    ['a tag', 'one two three <a href="four five">', ['one two', 'three <a href="four five">']],
  ])('is not broken inside %s', (_, text, after) => {
    expect(wrapMarkdown(lines(text), 14)).toBe(lines(...after));
  });

  it.each(['-', '+', '*', '#', '###', '12.', '1)', '>', '>five', '|', '---', '***', '===', '```', '<div>', ':--'])(
    'has no line that begins with %s in the middle of a paragraph',
    (mark) => {
      expect(wrapMarkdown(lines(`one two three ${mark}`), 13)).toBe(lines('one two', `three ${mark}`));
    },
  );

  it('has no line of its own for a first word that would be a block', () => {
    expect(wrapMarkdown(lines('--- --- one two'), 5)).toBe(lines('--- --- one', 'two'));
  });

  it('keeps what indentation alone makes a text', () => {
    const text = lines('one\\', '    - two', '', 'three', '12. four');
    expect(wrapMarkdown(text)).toBe(lines('one\\', '    - two', '', 'three 12. four'));
  });
});

describe.each(trackedFiles(/\.md$/))('%s', (page) => {
  const text = readFileSync(page, 'utf8');
  const wrapped = wrapMarkdown(text);

  it('keeps every word and every block when it is wrapped', () => {
    const words = (page: string) => page.replace(/^ *>[> ]*/gm, '').split(/\s+/);
    const blocks = (page: string) => page.match(/^ *(?:#+ .*|\||`{3}.*|[-+*] |\d+\. |$)/gm);
    for (const other of [wrapped, wrapMarkdown(text, 30)]) {
      expect(words(other)).toEqual(words(text));
      expect(blocks(other)).toEqual(blocks(text));
    }
  });

  it('is the same wrapped again, also from any other width', () => {
    for (const width of [1, 40, 80, 120, 1_000]) expect(wrapMarkdown(wrapMarkdown(wrapped, width))).toBe(wrapped);
  });
});

describe('node tools/pages/wrap-markdown.mjs', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'evergreen-markdown-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const wrap = (...args: string[]) =>
    spawnSync(process.execPath, ['tools/pages/wrap-markdown.mjs', ...args], { encoding: 'utf8' });

  it('names page and line, and what to run, and changes nothing, with --check', () => {
    const page = join(folder, 'page.md');
    const text = lines('# One', '', 'two', 'three');
    writeFileSync(page, text);
    const checked = wrap('--check', page);
    expect(checked.status).toBe(1);
    expect(checked.stdout).toMatch(/page\.md:3 is not wrapped at 120 characters\n.*npm run format\n$/);
    expect(readFileSync(page, 'utf8')).toBe(text);
  });

  it('wraps the page, after which the check agrees', () => {
    const page = join(folder, 'page.md');
    writeFileSync(page, lines('two', 'three'));
    expect(wrap(page).status).toBe(0);
    expect(readFileSync(page, 'utf8')).toBe('two three\n');
    expect(wrap('--check', page)).toMatchObject({ status: 0, stdout: '' });
  });
});
