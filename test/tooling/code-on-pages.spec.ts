import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

/** Pages that show whole files, each with the folder of these files. */
const WHOLE_FILES = [
  ['docs/how-to/adding-a-cache.md', 'test/examples/cases'],
  ['docs/tutorial.md', 'test/examples/tutorial'],
] as const;

const LANGUAGE: Readonly<Record<string, string>> = { '.ts': 'ts', '.mjs': 'js', '.json': 'json' };

const tracked = (folder: string, type: string): string[] =>
  execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', folder], { encoding: 'utf8' })
    .split('\n')
    .filter((file) => file.endsWith(type));

/** Without indentation: a page shows a method without its class. */
const lines = (code: string): string => code.replace(/^\s+|\s+$/gm, '');

describe.each(WHOLE_FILES)('%s', (page, folder) => {
  const text = readFileSync(page, 'utf8');

  it.each(readdirSync(folder))(`shows %s as it is in ${folder}`, (file) => {
    const code = readFileSync(join(folder, file), 'utf8');
    expect(text).toContain(`\`${file}\`\n\n\`\`\`${LANGUAGE[extname(file)]}\n${code}\`\`\`\n`);
  });
});

describe('the code of README.md and of the how-to guides', () => {
  const examples = ['test/examples', 'test/integration/examples']
    .flatMap((folder) => [...tracked(folder, '.ts'), ...tracked(folder, '.mjs')])
    .map((file) => lines(readFileSync(file, 'utf8')));
  const blocks = ['README.md', ...tracked('docs/how-to', '.md')].flatMap((page) =>
    [...readFileSync(page, 'utf8').matchAll(/^```(?:ts|js)\n(.*?)^```$/gms)].map(([, code = '']) => ({ page, code })),
  );

  it('is found', () => {
    expect(blocks.length).toBeGreaterThan(10);
  });

  it('stands in an example that is compiled and tested (put it into test/examples, and take it from there)', () => {
    const untested = blocks.filter(({ code }) => !examples.some((example) => example.includes(lines(code))));
    expect(untested).toEqual([]);
  });
});
