import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
const { step } = (await import(resolve('tools/steps.mjs'))) as {
  step: <T>(text: string, work: () => Promise<T>, out: { isTTY: boolean; write: (text: string) => void }) => Promise<T>;
};

function run(command: string, args: readonly string[], cwd: string): Promise<{ code: number | null; output: string }> {
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += String(chunk)));
  return new Promise((done) => child.once('close', (code) => done({ code, output })));
}

describe('--help of every npm script', () => {
  /** A bare checkout: a tool that installs, builds or starts anything fails in it, or leaves files. */
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'evergreen-help-'));
    cpSync('tools', join(folder, 'tools'), { recursive: true });
    cpSync('apps/cdc-worker/src/drop', join(folder, 'apps/cdc-worker/src/drop'), { recursive: true });
    for (const program of ['bench', 'consistency', 'soak']) {
      const file = `test/checks/${program}/options.ts`;
      cpSync(file, join(folder, file));
    }
    cpSync('package.json', join(folder, 'package.json'));
    writeFileSync(join(folder, 'package-lock.json'), 'no lock file: an installation fails');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(Object.keys(scripts))('[N10] npm run %s prints how it is used, and does nothing', async (name) => {
    const before = readdirSync(folder);
    for (const flag of ['--help', '-h']) {
      const [program = '', ...args] = (scripts[name] ?? '').split(' ');
      expect(program).toBe('node');
      const { code, output } = await run(process.execPath, [...args, flag], folder);
      expect({ code, output }).toMatchObject({ code: 0 });
      expect(output).toMatch(new RegExp(`^npm (run )?(${name}|lint)\\b`));
      expect(output.length).toBeLessThan(4_000);
    }
    expect(readdirSync(folder)).toEqual(before);
  });
});

describe('a step of a tool', () => {
  const written = async (isTTY: boolean, work: () => Promise<void>) => {
    let text = '';
    const outcome = await step('Building bff', work, { isTTY, write: (part) => (text += part) }).catch(
      (error: unknown) => error,
    );
    return { text, outcome };
  };

  it('[N10] says in lines that it began, and how long it took', async () => {
    const { text } = await written(false, () => Promise.resolve());
    expect(text).toMatch(/^Building bff …\nBuilding bff: done in \d+\.\d s\n$/);
  });

  it('[N10] keeps one line current on a terminal, while it runs', async () => {
    const { text } = await written(true, () => new Promise((done) => setTimeout(done, 1_300)));
    expect(text.split('\r').slice(1)).toEqual([
      'Building bff …\u001b[K',
      'Building bff … 1 s\u001b[K',
      expect.stringMatching(/^Building bff: done in 1\.\d s.\[K\n$/),
    ]);
  });

  it('[N10] says that it failed, and fails', async () => {
    const { text, outcome } = await written(false, () => Promise.reject(new Error('no disk')));
    expect(text).toMatch(/Building bff: failed after \d+\.\d s\n$/);
    expect(outcome).toEqual(new Error('no disk'));
  });
});
