import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { wrapMarkdown } from './markdown-text.mjs';
import { root, say } from '../workspace.mjs';

/**
 * `node tools/pages/wrap-markdown.mjs`: wraps every page of the checkout at 120 characters (part of `npm run format`).
 * `--check` changes nothing, names the first line of each page that is wrapped otherwise, and exits with 1 (part of
 * `npm run lint`). File names restrict both to these pages.
 */
const NOT_OURS = new Set(['node_modules', 'dist', 'coverage', '.cache', '.git']);
const args = process.argv.slice(2);
const isCheck = args.includes('--check');
const named = args.filter((arg) => !arg.startsWith('--'));

let wrongPages = 0;
for (const page of named.length > 0 ? named : pagesIn(root)) {
  const text = readFileSync(page, 'utf8');
  const wrapped = wrapMarkdown(text);
  if (wrapped === text) continue;
  wrongPages += 1;
  if (isCheck) say(`${relative(root, page)}:${firstDifference(text, wrapped)} is not wrapped at 120 characters`);
  else writeFileSync(page, wrapped);
}
if (isCheck && wrongPages > 0) {
  say('Wrap them: npm run format');
  process.exitCode = 1;
}

function pagesIn(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return NOT_OURS.has(entry.name) ? [] : pagesIn(path);
    return entry.isFile() && entry.name.endsWith('.md') ? [path] : [];
  });
}

/** The number, from 1, of the first line that differs. */
function firstDifference(text, other) {
  const others = other.split('\n');
  return text.split('\n').findIndex((line, index) => line !== others[index]) + 1;
}
