import { spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';

interface Run {
  readonly name: string;
  readonly model: string;
  readonly expected: 'holds' | 'violated';
  readonly switches: readonly string[];
  readonly isQuick: boolean;
}

type Judge = (search: { output: string; code: number; isTimedOut?: boolean }) => { outcome: string; reason?: string };

const { runs } = (await import(resolve('tools/models/model-runs.mjs'))) as { runs: readonly Run[] };
const { judge } = (await import(resolve('tools/models/model-checker.mjs'))) as { judge: Judge };
const folder = 'docs/protocol';
const sourceOf = (model: string) => {
  const source = readFileSync(join(folder, `${model}.pml`), 'utf8');
  const included = /#include "(\w+)\.pml"/.exec(source)?.[1];
  return included ? source + readFileSync(join(folder, `${included}.pml`), 'utf8') : source;
};

const ended =
  'State-vector 68 byte, depth reached 28, errors: 0\n      826 states, stored\n     1078 transitions (= stored+matched)\n';

describe('the table of runs', () => {
  it('covers every model', () => {
    const models = readdirSync(folder)
      .filter((file) => file.endsWith('.pml'))
      .map((file) => file.replace('.pml', ''));
    expect([...new Set(runs.map((run) => run.model))].sort()).toEqual(models.sort());
  });

  it.each(runs.map((run) => [run.name, run] as const))('%s uses only switches that its model reads', (_, run) => {
    const source = sourceOf(run.model);
    for (const each of run.switches) {
      const name = each.replace(/^-D/, '').replace(/=.*/, '');
      expect(source).toMatch(new RegExp(`^#.*\\b${name}\\b`, 'm'));
    }
  });

  it('names each run once, and the page of results lists each', () => {
    expect(new Set(runs.map((run) => run.name)).size).toBe(runs.length);
    const page = readFileSync(join(folder, 'README.md'), 'utf8');
    for (const { name, expected } of runs) expect(page).toMatch(new RegExp(`^\\| ${name} \\|.*\\b${expected}\\b`, 'm'));
  });

  it('tries every mutation that a model names', () => {
    for (const model of ['recommended', 'fast', 'strict', 'slots', 'histories', 'rebuild', 'deposed']) {
      const named =
        /Mutations[^:]*:([\s\S]*?)(?:\*\/|Not needed)/.exec(readFileSync(join(folder, `${model}.pml`), 'utf8'))?.[1] ??
        '';
      const mutations = named.match(/\b[A-Z][A-Z0-9]*_[A-Z_0-9]+\b/g) ?? [];
      expect(mutations.length).toBeGreaterThan(4);
      for (const mutation of mutations) {
        const caught = runs.some((run) => run.expected === 'violated' && run.switches.includes(`-D${mutation}`));
        expect([mutation, caught]).toEqual([mutation, true]);
      }
    }
  });
});

describe('what a search has found', () => {
  it('holds only when the search says that it went through everything', () => {
    expect(judge({ output: ended, code: 0 }).outcome).toBe('holds');
    expect(judge({ output: '', code: 0 }).outcome).toBe('incomplete');
    expect(judge({ output: ended, code: 137 }).outcome).toBe('incomplete');
  });

  it.each([
    ['the time is over', { output: '', code: -1, isTimedOut: true }, 'time limit'],
    ['the memory is used up', { output: `pan: out of memory\n${ended}`, code: 0 }, 'memory limit'],
    ['a path is too deep', { output: `error: max search depth too small\n${ended}`, code: 0 }, 'depth limit'],
    ['it was stopped', { output: `Warning: Search not completed\n${ended}`, code: 0 }, 'the search ended'],
  ])('is not decided when %s', (_, search, reason) => {
    expect(judge(search)).toMatchObject({ outcome: 'incomplete', reason: expect.stringContaining(reason) });
  });

  it('is violated when an assertion fails, and not for any other error', () => {
    expect(judge({ output: `pan:1: assertion violated (at depth 41)\n${ended}`, code: 0 }).outcome).toBe('violated');
    expect(judge({ output: ended.replace('errors: 0', 'errors: 1'), code: 0 }).outcome).toBe('incomplete');
  });
});

describe('npm run model', () => {
  it('says what to install, with exit code 2, where spin is missing', async () => {
    const tool = spawn(process.execPath, [resolve('tools/models/model.mjs'), '--quick'], { env: { PATH: '' } });
    const exit = new Promise((done) => tool.once('exit', done));
    expect(await text(tool.stderr)).toMatch(/missing: spin, gcc[\s\S]*apt-get install -y spin gcc/);
    expect(await exit).toBe(2);
  });
});
