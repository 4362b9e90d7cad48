import { answerHelp } from './usage.mjs';
import { ensureInstalled, programOf, root, run } from './workspace.mjs';

const USAGE = `npm run lint                 what breaks a rule: eslint, prettier, and the wrapping of pages
npm run format               repairs what prettier and the wrapping of pages find
  -- --help                  this text`;

/** `npm run lint`, and with `--write` `npm run format`. Every check runs to its end; code 1 if one found something. */
answerHelp(USAGE);
await ensureInstalled();
const writes = process.argv.includes('--write');
const prettier = [programOf('prettier'), writes ? '--write' : '--check', '.'];
const pages = ['tools/pages/wrap-markdown.mjs', ...(writes ? [] : ['--check'])];
const eslint = [programOf('eslint'), '.', '--max-warnings', '0'];
for (const args of [...(writes ? [] : [eslint]), prettier, pages]) {
  if ((await run(process.execPath, args, { cwd: root })) !== 0) process.exitCode = 1;
}
