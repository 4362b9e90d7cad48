import { answerHelp } from './usage.mjs';
import { ensureInstalled, programOf, run } from './workspace.mjs';

/** `npm run typecheck`: installs what is missing, and checks the types of apps, libs and test. */
answerHelp(`npm run typecheck
  Checks the types of apps, libs and test, specs included, and writes nothing.`);
await ensureInstalled();
process.exitCode = await run(process.execPath, [programOf('typescript', 'tsc'), '--noEmit', '-p', '.']);
