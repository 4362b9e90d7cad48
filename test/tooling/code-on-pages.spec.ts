import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { trackedFiles } from './tracked-files.js';

/** Pages that show whole files, each with the folder of these files. */
const WHOLE_FILES = [
  ['docs/how-to/adding-a-cache.md', 'test/examples/cases'],
  ['docs/tutorial.md', 'test/examples/tutorial'],
] as const;

const LANGUAGE: Readonly<Record<string, string>> = { '.ts': 'ts', '.mjs': 'js', '.json': 'json' };

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
  const examples = trackedFiles(/^test\/(?:integration\/)?examples\/.*\.(?:ts|mjs)$/).map((file) =>
    lines(readFileSync(file, 'utf8')),
  );
  const blocks = trackedFiles(/^README\.md$|^docs\/how-to\/.*\.md$/).flatMap((page) =>
    [...readFileSync(page, 'utf8').matchAll(/^```(?:ts|js)\n(.*?)^```$/gms)].map(([, code = '']) => ({ page, code })),
  );

  it('is found', () => {
    expect(blocks.length).toBeGreaterThan(10);
  });

  it('is part of an example that is compiled and tested (write it in test/examples, and copy it from there)', () => {
    const untested = blocks.filter(({ code }) => !examples.some((example) => example.includes(lines(code))));
    expect(untested).toEqual([]);
  });
});
