import { parseArgs } from 'node:util';
import { runSeries, seriesTable } from './check-series.mjs';
import { checks } from './long-checks.mjs';
import { answerHelp } from '../usage.mjs';
import { say } from '../workspace.mjs';

/**
 * `npm run check:all`: runs the long form of every check that CI shortens, one after the other, each to its end even
 * after a failure. Ends with a table. Exit code 1: something failed; 2: the command line is invalid.
 */
const USAGE = `npm run check:all -- [options]
  --only=NAME,NAME   only these: ${checks.map(({ name }) => name).join(', ')}
                     (a name with * at its end: all that begin so)
  --list             say what would run, and do not
  --help             this text

About two hours on two cores that do nothing else; each check can be run alone, by the command that --list shows.`;

answerHelp(USAGE);
const { only, list } = readOptions();
const chosen = checks.filter(({ name }) => only.length === 0 || only.some((one) => isMeant(name, one)));
if (list) {
  for (const { name, args } of chosen) say(`${name.padEnd(24)} npm ${args.join(' ')}`);
} else {
  const rows = await runSeries(chosen, (text) => process.stdout.write(text));
  const failed = rows.filter(({ code }) => code !== 0).map(({ name }) => name);
  say(`\n${seriesTable(rows)}\n\n${failed.length === 0 ? 'All checks succeeded.' : `Failed: ${failed.join(', ')}`}`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}

function isMeant(name, given) {
  return given.endsWith('*') ? name.startsWith(given.slice(0, -1)) : name === given;
}

function readOptions() {
  const text = { type: 'string', default: '' };
  const flag = { type: 'boolean', default: false };
  try {
    const { values } = parseArgs({ options: { only: text, list: flag } });
    const only = values.only.split(',').filter(Boolean);
    const unknown = only.filter((one) => !checks.some(({ name }) => isMeant(name, one)));
    if (unknown.length > 0) throw new Error(`There is no check ${unknown.join(', ')}.`);
    return { only, list: values.list };
  } catch (error) {
    process.stderr.write(`${error.message}\n\n${USAGE}\n`);
    return process.exit(2);
  }
}
