import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EventReader } from '../support/event-reader.js';
import { eventually } from '../support/eventually.js';
import { cleanEnvironment } from './support/app-process.js';
import { compileProblems } from './support/compile-problems.js';

interface Health {
  readonly status: string;
  readonly events: string;
  readonly feeds: readonly string[];
}
interface Addresses {
  readonly bff: string;
  readonly sandbox: string;
}
interface Case {
  readonly id: string;
  readonly subject: string;
  readonly status: string;
}

const { copyThatFollowsThePage, whileStarted, healthAt } = (await import(resolve('tools/checks/copy-of-tree.mjs'))) as {
  copyThatFollowsThePage: (folder: string) => string[];
  whileStarted: (folder: string, use: (at: Addresses) => Promise<void>) => Promise<{ code: number; output: string }>;
  healthAt: (bff: string) => Promise<Health>;
};
/** Unit tests that a new cache can break, and the one that used to hold a list of all topics. */
const LIKELY_TO_BREAK = ['libs/modules/src/', 'test/tooling/folders', 'test/integration/modules/change-events'];
const PROJECTS = ['unit', 'tooling', 'integration'];

describe('a copy of the tree that follows docs/how-to/adding-a-cache.md to the letter', () => {
  let folder: string;
  let touched: string[];
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'evergreen-page-'));
    touched = copyThatFollowsThePage(folder);
    symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
    // Otherwise npm start takes the linked modules for older than the lock file, and refuses them.
    utimesSync(join(folder, 'package-lock.json'), 0, 0);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const sources = () => touched.filter((file) => file.endsWith('.ts'));

  /** Runs a program of the copy there. */
  function run(file: string, args: readonly string[], input = ''): Promise<{ code: number | null; output: string }> {
    const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
    const child = spawn(process.execPath, [...flags, file, ...args], { cwd: folder, env: cleanEnvironment({}) });
    child.stdin.end(input);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += String(chunk)));
    return new Promise((done) => child.once('close', (code) => done({ code, output })));
  }

  // `npm run check:newcomer` checks the types of the whole copy, and lints it with rules that need types.
  it('[N4] compiles where the page says that each file belongs, its test included', () => {
    expect(touched).toContain('libs/modules/src/cases/cases.spec.ts');
    expect(compileProblems(folder, sources())).toBe('');
  }, 120_000);

  it('[N1] passes the rules of layers, imports and names, and is formatted', async () => {
    const files = sources().map((filePath) => ({ filePath, code: readFileSync(join(folder, filePath), 'utf8') }));
    const { code, output } = await run('test/tooling/lint-planted.mjs', [], JSON.stringify(files));
    expect({ code, output }).toEqual({ code: 0, output: JSON.stringify(files.map(() => [])) });
    const formatted = { code: 0, output: expect.stringContaining('All matched files use Prettier code style!') };
    expect(await run('node_modules/prettier/bin/prettier.cjs', ['--check', ...sources()])).toEqual(formatted);
  }, 120_000);

  it('[N1] [N4] passes its own test, and leaves those green that knew every topic', async () => {
    const { code, output } = await run('node_modules/jest/bin/jest.js', [
      '--selectProjects',
      ...PROJECTS,
      '--testPathPatterns',
      ...LIKELY_TO_BREAK,
    ]);
    for (const file of ['libs/modules/src/cases/cases.spec.ts', 'test/integration/modules/change-events.int-spec.ts'])
      expect(output).toMatch(new RegExp(`^PASS \\w+ ${file}`, 'm'));
    expect({ code, output }).toMatchObject({ code: 0 });
  }, 420_000);

  it('[N1] starts with npm start, healthy; the new list follows its source, and browsers hear of it', async () => {
    const { code } = await whileStarted(folder, async ({ bff, sandbox }) => {
      const health = () => healthAt(bff);
      await eventually(async () => (await health()).events === 'up', { withinMs: 20_000, what: 'sf-events is up' });
      expect(await health()).toMatchObject({
        status: 'ok',
        events: 'up',
        feeds: expect.arrayContaining(['Case live', 'Order live']),
      });
      const bearer = async (path: string) => `Bearer ${await (await fetch(sandbox + path)).text()}`;
      const authorization = await bearer('/demo/token/1');
      const cases = async () =>
        (await (await fetch(`${bff}/api/cases`, { headers: { authorization } })).json()) as Case[];
      const stream = await EventReader.open(`${bff}/api/events`, { authorization });
      await stream.next('ready');
      const open = (await cases()).find(({ status }) => status === 'New') as Case;
      expect(open.subject).toBe('No signal');
      const { status } = await fetch(`${sandbox}/services/data/v67.0/sobjects/Case/${open.id}`, {
        method: 'PATCH',
        headers: { authorization: await bearer('/demo/salesforce-token'), 'content-type': 'application/json' },
        body: '{"Status": "Escalated"}',
      });
      expect(status).toBe(204);
      await stream.next('cases.changed');
      stream.close();
      expect(await cases()).toContainEqual({ ...open, status: 'Escalated' });
      const { metrics } = (await (await fetch(`${bff}/health/cases/cache`)).json()) as {
        metrics: { account: { misses: number }; invalidations: number };
      };
      expect(metrics).toMatchObject({ account: { misses: 2 }, invalidations: 1 });
    });
    expect(code).toBe(0);
  }, 540_000);
});
