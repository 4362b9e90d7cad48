import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { configurationPageText, envExampleText } from './configuration-text.mjs';
import { answerHelp } from '../usage.mjs';
import { ensureBuilt, root, say } from '../workspace.mjs';

/**
 * `npm run docs:config`: writes the files generated from the configuration's schema. A test checks that both are
 * current.
 */
answerHelp(`npm run docs:config
  Writes .env.example and docs/reference/configuration.md from the schema of the configuration.`);
await ensureBuilt();
const built = join(root, 'dist', 'libs', 'modules', 'src', 'config', 'environment.schema.js');
const schema = await import(pathToFileURL(built).href);
mkdirSync(join(root, 'docs', 'reference'), { recursive: true });
writeFileSync(join(root, '.env.example'), envExampleText(schema));
writeFileSync(join(root, 'docs', 'reference', 'configuration.md'), configurationPageText(schema));
say('Wrote .env.example and docs/reference/configuration.md.');
