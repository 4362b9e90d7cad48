import { text } from 'node:stream/consumers';
import { ESLint } from 'eslint';

/**
 * Reads `[{ filePath, code }]` from stdin, lints each text as if it were that file, and writes the findings in order.
 */
const plants = JSON.parse(await text(process.stdin));
const eslint = new ESLint();
const found = [];
for (const { filePath, code } of plants) {
  const [result] = await eslint.lintText(code, { filePath });
  found.push(result.messages.map(({ ruleId, message }) => ({ ruleId, message })));
}
process.stdout.write(JSON.stringify(found));
