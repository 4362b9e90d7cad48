import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { anchorsOf, linksOf } from './markdown-links.js';
import { trackedFiles } from './tracked-files.js';

const INDEX = 'docs/README.md';
/** Folders whose pages the index need not name one by one. */
const LISTED_AS_FOLDERS = ['docs/decisions', 'docs/protocol'];

const pages = trackedFiles(/\.md$/).filter((file) => existsSync(file));
const textOf = (file: string): string => readFileSync(file, 'utf8');

describe('the links of a page', () => {
  it('are found, and the anchors that they may name', () => {
    const text = '[a](b.md#c) ![d](<e f.png> "g")\n[h]: i.md\n`[j](k)` [`l`](m)\n```\n[n](o)\n```\n';
    expect(linksOf(text)).toEqual(['b.md#c', 'e f.png', 'm', 'i.md']);
    const headings =
      '# One `two`, (three)\n## A – b_c?\n## A – b_c?\n```\n# no\n```\n<a id="own"></a>\n### [x](y) **z**';
    expect([...anchorsOf(headings)]).toEqual(['one-two-three', 'a--b_c', 'a--b_c-1', 'x-z', 'own']);
  });
});

describe('every Markdown file', () => {
  it('links only to files and headings that exist (correct the link, or give the heading its old name)', () => {
    expect(pages.flatMap((page) => linksOf(textOf(page)).flatMap((link) => brokenness(page, link)))).toEqual([]);
  });

  it('under docs/ is linked from docs/README.md', () => {
    const linked = new Set(linksOf(textOf(INDEX)).map((link) => normalize(join('docs', link.replace(/#.*$/, '')))));
    const isLinked = (page: string) =>
      linked.has(page) || LISTED_AS_FOLDERS.some((folder) => page.startsWith(`${folder}/`) && linked.has(folder));
    const advice = 'add a line to its group there: the link, what a reader learns, and for whom the page is';
    const missing = pages.filter((page) => page.startsWith('docs/') && page !== INDEX && !isLinked(page));
    expect(missing.map((page) => `${page} is not linked from ${INDEX}: ${advice}`)).toEqual([]);
  });
});

/** Why a link leads nowhere; empty if it leads somewhere, or out of the repository. */
function brokenness(page: string, link: string): string[] {
  if (/^[a-z][a-z0-9+.-]*:/i.test(link)) return [];
  const [path = '', anchor] = link.split('#', 2);
  const file = path === '' ? page : normalize(join(dirname(page), decodeURIComponent(path)));
  if (!existsSync(file)) return [`${page}: ${link}: there is no ${file}`];
  if (anchor === undefined || !file.endsWith('.md') || statSync(file).isDirectory()) return [];
  return anchorsOf(textOf(file)).has(anchor) ? [] : [`${page}: ${link}: ${file} has no heading #${anchor}`];
}
