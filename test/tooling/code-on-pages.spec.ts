import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { trackedFiles } from './tracked-files.js';

/** Pages that show whole files, each with the folder of these files, and the folder that the page names. */
const WHOLE_FILES = [
  ['docs/how-to/adding-a-cache.md', 'test/examples/cases', 'libs/modules/src/cases/'],
  ['docs/tutorial.md', 'test/examples/tutorial', ''],
] as const;

/** The imports of code that a page puts elsewhere than its example is: as the page says it, and as the example does. */
const MOVED_IMPORTS = [
  ['../change-events/change-subscriber.js', '@bff/modules/change-events/change-subscriber'],
  ['../../../../test/support/change-event.js', '../../support/change-event.js'],
  ['../auth/account.decorator.js', '../../../apps/bff/src/auth/account.decorator.js'],
  ['@bff/modules/cases/cases-cache.service', '../cases/cases-cache.service.js'],
] as const;

/** Compiled only where `test/e2e/adding-a-cache.e2e-spec.ts` follows the page: it needs a name that the page adds. */
const NEEDS_THE_PAGE = /class CaseNotices /;

const LANGUAGE: Readonly<Record<string, string>> = { '.ts': 'ts', '.mjs': 'js', '.json': 'json' };

/** Without indentation: a page shows a method without its class. */
const lines = (code: string): string => code.replace(/^\s+|\s+$/gm, '');

const asInTheExample = (code: string): string =>
  MOVED_IMPORTS.reduce((text, [onPage, inExample]) => text.replaceAll(`'${onPage}'`, `'${inExample}'`), code);

describe.each(WHOLE_FILES)('%s', (page, folder, shownIn) => {
  const text = asInTheExample(readFileSync(page, 'utf8'));

  it.each(readdirSync(folder))(`shows %s as it is in ${folder}`, (file) => {
    const code = readFileSync(join(folder, file), 'utf8');
    expect(text).toContain(`\`${shownIn}${file}\`\n\n\`\`\`${LANGUAGE[extname(file)]}\n${code}\`\`\`\n`);
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
    const isTested = (code: string) => examples.some((example) => example.includes(lines(asInTheExample(code))));
    const untested = blocks.filter(({ code }) => !NEEDS_THE_PAGE.test(code) && !isTested(code));
    expect(untested).toEqual([]);
  });
});
