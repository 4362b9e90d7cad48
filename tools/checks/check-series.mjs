import { spawn } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { root } from '../workspace.mjs';

/** How many characters of the output of a check are kept, from its end, to find the numbers of the table in. */
const OUTPUT_MAX = 200_000;

/**
 * Runs checks one after the other, each to its end even after a failure, and passes their output to `say`. Resolves
 * with one row per check; `code` is the exit code, or 1 after a signal.
 */
export async function runSeries(checks, say, command = 'npm') {
  const rows = [];
  for (const { name, args, numbers } of checks) {
    say(`\n=== ${name}: ${command} ${args.join(' ')}\n`);
    const startedAt = performance.now();
    const { code, output } = await runShown(command, args, say);
    rows.push({ name, code, seconds: (performance.now() - startedAt) / 1000, numbers: numbers(output) });
  }
  return rows;
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
