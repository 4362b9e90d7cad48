import { spawn } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { root, runQuietly } from '../workspace.mjs';

/** How many characters of the output of a check are kept, from its end, to find the numbers of the table in. */
const OUTPUT_MAX = 200_000;

/**
 * Runs checks one after the other, each to its end even after a failure, and passes their output to `say`. Resolves
 * with one row per check; `code` is the exit code, or 1 after a signal.
 */
export async function runSeries(checks, say, command = 'npm') {
  const rows = [];
  for (const check of checks) {
    say(headOf(check, command));
    rows.push(await rowOf(check, () => runShown(command, check.args, say)));
  }
  return rows;
}

/**
 * Runs checks at the same time, each to its end even after a failure, and passes the end of the output of each to `say`
 * as a whole, once it has ended. Resolves with one row per check, in the given order. Nothing that measures time
 * belongs here.
 */
export async function runTogether(checks, say, command = 'npm') {
  say(`\n=== At the same time, each with its output at its end: ${checks.map(({ name }) => name).join(', ')}\n`);
  const isWindows = process.platform === 'win32';
  return Promise.all(
    checks.map((check) =>
      rowOf(check, async () => {
        const result = await runQuietly(command, check.args, { shell: isWindows });
        say(headOf(check, command) + result.output);
        return result;
      }),
    ),
  );
}

/** The rows as a Markdown table. */
export function seriesTable(rows) {
  const cells = rows.map(({ name, code, seconds, numbers }) => [
    name,
    code === 0 ? 'ok' : `FAILED (${code})`,
    `${Math.floor(Math.round(seconds) / 60)} min ${Math.round(seconds) % 60} s`,
    numbers.replaceAll('|', '/'),
  ]);
  const all = [['check', 'result', 'took', 'numbers'], ['---', '---', '---', '---'], ...cells];
  return all.map((row) => `| ${row.join(' | ')} |`).join('\n');
}

function headOf({ name, args }, command) {
  return `\n=== ${name}: ${command} ${args.join(' ')}\n`;
}

async function rowOf({ name, numbers }, runCheck) {
  const startedAt = performance.now();
  const { code, output } = await runCheck();
  return { name, code, seconds: (performance.now() - startedAt) / 1000, numbers: numbers(output) };
}

function runShown(command, args, say) {
  return new Promise((resolve, reject) => {
    const isWindows = process.platform === 'win32';
    const child = spawn(command, args, { cwd: root, stdio: ['inherit', 'pipe', 'inherit'], shell: isWindows });
    let output = '';
    child.stdout.on('data', (text) => {
      say(String(text));
      output = (output + String(text)).slice(-OUTPUT_MAX);
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code: code ?? 1, output }));
  });
}
