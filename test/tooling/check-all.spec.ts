import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';

interface Check {
  readonly name: string;
  readonly args: readonly string[];
  readonly numbers: (output: string) => string;
}
interface Row {
  readonly name: string;
  readonly code: number;
  readonly seconds: number;
  readonly numbers: string;
}

type RunChecks = (checks: readonly Check[], say: (text: string) => void, command: string) => Promise<Row[]>;
const { runSeries, runTogether, seriesTable } = (await import(resolve('tools/checks/check-series.mjs'))) as {
  runSeries: RunChecks;
  runTogether: RunChecks;
  seriesTable: (rows: readonly Row[]) => string;
};
const { checks, numbersOfConsistency } = (await import(resolve('tools/checks/long-checks.mjs'))) as {
  checks: readonly Check[];
  numbersOfConsistency: (output: string) => string;
};
const checkAll = (...args: string[]) =>
  spawnSync(process.execPath, ['tools/checks/check-all.mjs', ...args], { encoding: 'utf8' });

const script = (name: string, code: string): Check => ({ name, args: ['-e', code], numbers: (text) => text.trim() });

describe('checks that run at the same time', () => {
  it('each run to their end, show their output as a whole once they end, and give rows in the given order', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'evergreen-together-'));
    const file = JSON.stringify(join(folder, 'quick-has-run'));
    const waits = `const { existsSync } = require('node:fs');
      console.log('slow begins');
      const timer = setInterval(() => existsSync(${file}) && (clearInterval(timer), console.error('slow ends')), 5)`;
    const fails = `require('node:fs').writeFileSync(${file}, ''); console.log('quick runs'); process.exitCode = 3`;
    let said = '';
    // The first can only end if the second runs meanwhile.
    const all = [script('slow', waits), script('quick', fails)];
    const rows = await runTogether(all, (text) => (said += text), process.execPath);
    rmSync(folder, { recursive: true });
    expect(rows.map(({ name, code, numbers }) => [name, code, numbers])).toEqual([
      ['slow', 0, 'slow begins\nslow ends'],
      ['quick', 3, 'quick runs'],
    ]);
    expect(said).toMatch(/=== slow: .*[^]*\nslow begins\nslow ends\n/);
    expect(said).toMatch(/=== quick: .*[^]*\nquick runs\n/);
  });
});

describe('npm run check:all', () => {
  it('goes on after a failure, shows what each printed, and ends with a row for each', async () => {
    let said = '';
    const all = [
      script('bad', 'process.exitCode = 3; console.log("3 | 4")'),
      script('good', 'console.log("all well")'),
    ];
    const rows = await runSeries(all, (text) => (said += text), process.execPath);
    expect(rows.map(({ name, code }) => [name, code])).toEqual([
      ['bad', 3],
      ['good', 0],
    ]);
    expect(said).toMatch(/=== bad[^]*3 \| 4\n[^]*=== good[^]*all well/);
    expect(seriesTable(rows).split('\n')).toEqual([
      '| check | result | took | numbers |',
      '| --- | --- | --- | --- |',
      expect.stringMatching(/^\| bad \| FAILED \(3\) \| 0 min \d s \| 3 \/ 4 \|$/),
      expect.stringMatching(/^\| good \| ok \| 0 min \d s \| all well \|$/),
    ]);
  });

  it('takes a check that was killed for one that failed', async () => {
    const [row] = await runSeries([script('killed', 'process.kill(process.pid)')], () => undefined, process.execPath);
    expect(row?.code).toBe(1);
  });

  it('runs the checker on every topology with L1 strict and off, the soak, the newcomer’s walk, all models and the benchmarks', () => {
    const commands = checks.map(({ args }) => args.slice(1).join(' '));
    for (const topology of ['', ' --topology=cluster', ' --topology=sentinel'])
      for (const mode of ['', ' --mode=off'])
        expect(commands).toContainEqual(
          expect.stringMatching(new RegExp(`^check:consistency -- --minutes=\\d${topology}${mode}$`)),
        );
    expect(commands).toEqual(
      expect.arrayContaining(['check:change-events -- --minutes=10', 'check:newcomer', 'model -- --install', 'bench']),
    );
  });

  it('lists what was picked, and says which names it does not know', () => {
    expect(checkAll('--list', '--only=sentinel*,models').stdout.match(/^\S+/gm)).toEqual([
      'sentinel-strict',
      'sentinel-off',
      'models',
    ]);
    const refused = checkAll('--only=modles');
    expect([refused.status, refused.stderr]).toEqual([2, expect.stringContaining('There is no check modles')]);
  });

  it('reads the numbers of a run of the checker', () => {
    const output = [
      'reads            171,790: L1 51.9 %, L2 25.9 %',
      'invalidations    539 acknowledged: del 39',
      '  acknowledged   median 593.4 ms, p99 1838.5 ms',
      'faults           5: slot-moved 2',
      'violations       2 (G1 2)',
      'at rest          0 stale of 7,620 reads',
    ].join('\n');
    expect(numbersOfConsistency(output)).toBe(
      'reads 171,790, acknowledged 539, median 593.4 ms, faults 5, violations 2, stale at rest 0',
    );
  });
});
