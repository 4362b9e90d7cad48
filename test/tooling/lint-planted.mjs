import { text } from 'node:stream/consumers';
import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';

/**
 * Reads `[{ filePath, code, needsTypes }]` from stdin, lints each text as if it were that file, and writes the findings
 * in order. Without `needsTypes` the rules that ask for types are off: the program of the whole tree takes seconds, and
 * every text in it half of one.
 */
const plants = JSON.parse(await text(process.stdin));
const withTypes = new ESLint();
const withoutTypes = new ESLint({ overrideConfig: tseslint.configs.disableTypeChecked });
const found = [];
for (const { filePath, code, needsTypes } of plants) {
  const [result] = await (needsTypes ? withTypes : withoutTypes).lintText(code, { filePath });
  found.push(result.messages.map(({ ruleId, message }) => ({ ruleId, message })));
}
process.stdout.write(JSON.stringify(found));
