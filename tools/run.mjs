import { ensureInstalled, programOf, run, stop } from './workspace.mjs';

/** `node tools/run.mjs <program> …`: runs a program of an installed package, after installing missing dependencies. */
const packages = { eslint: 'eslint', prettier: 'prettier', tsc: 'typescript' };

const [program = '', ...args] = process.argv.slice(2);
const packageName = packages[program] ?? stop(`usage: node tools/run.mjs ${Object.keys(packages).join('|')} …`);
await ensureInstalled();
process.exitCode = await run(process.execPath, [programOf(packageName, program), ...args]);
