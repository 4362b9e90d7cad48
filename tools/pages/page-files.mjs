import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Languages of blocks that hold a whole file. A `diff` block changes a file that exists. */
const WHOLE_FILES = ['ts', 'js', 'json'];

/**
 * The blocks of code that a page assigns to files, in the order of the page: a path alone on a line, in backticks, and
 * a block right below it.
 */
export function filesOnPage(text) {
  const named = /^`([\w./-]+\.\w+)`\n\n```(\w+)\n(.*?)^```$/gms;
  return [...text.matchAll(named)].map(([, file, language, code]) => ({ file, language, code }));
}

/**
 * Does in `folder` what the page says, to the letter: writes its files and applies its diffs. Returns the paths of the
 * files that it has touched. Throws, with the block, where a file exists already, or a diff does not fit its file.
 */
export function followPage(text, folder) {
  const touched = new Set();
  for (const { file, language, code } of filesOnPage(text)) {
    const path = join(folder, file);
    if (language === 'diff') {
      writeFileSync(path, patched(readFileSync(path, 'utf8'), code, file));
    } else if (WHOLE_FILES.includes(language)) {
      if (existsSync(path)) throw new Error(`the page wants to create ${file}, which exists`);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, code);
    } else {
      throw new Error(`a block with the name of a file is ${WHOLE_FILES.join(', ')} or diff, not ${language}: ${file}`);
    }
    touched.add(file);
  }
  return [...touched];
}

/**
 * The text after a diff without line numbers: lines begin with a space (context), `+` or `-`, and `@@` separates hunks.
 * The context and the removed lines of a hunk must be in the file, together, exactly once.
 */
export function patched(text, diff, file) {
  return diff.split(/^@@\n/m).reduce((present, hunk) => {
    const lines = hunk.replace(/\n$/, '').split('\n');
    const without = (sign) =>
      lines
        .filter((line) => !line.startsWith(sign))
        .map((line) => `\n${line.slice(1)}`)
        .join('');
    const [before, after] = [without('+'), without('-')];
    const parts = `\n${present}`.split(`${before}\n`);
    if (parts.length !== 2) {
      throw new Error(`these lines are ${parts.length - 1} times in ${file}, not once: correct the page\n${before}`);
    }
    return parts.join(`${after}\n`).slice(1);
  }, text);
}
