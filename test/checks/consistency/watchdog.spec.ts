import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { transformFile } from '@swc/core';
import { eventually } from '../../support/eventually.js';

describe('the watchdog', () => {
  /** A process that guards two children, releases the second, and prints their pids. */
  async function guardian() {
    const { code } = await transformFile('test/checks/consistency/watchdog.ts', {
      jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
      module: { type: 'es6' },
    });
    const script = `${code}
      const watchdog = new Watchdog();
      const pids = [0, 0].map(() => spawn('sleep', ['60'], { detached: true, stdio: 'ignore' }).pid);
      pids.forEach((pid) => watchdog.guard(pid));
      process.kill(pids[0], 'SIGSTOP');
      watchdog.release(pids[1]);
      console.log(pids.join(' '));
      setInterval(() => 0, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module'], { stdio: ['pipe', 'pipe', 'inherit'] });
    child.stdin.end(script);
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const [guarded, released] = String(line).trim().split(' ').map(Number) as [number, number];
    return { child, guarded, released };
  }

  it('ends a stopped child of a process that was killed, and leaves alone what was released', async () => {
    const { child, guarded, released } = await guardian();
    try {
      expect([guarded, released].map(isAlive)).toEqual([true, true]);
      child.stdout.destroy();
      child.kill('SIGKILL');
      await eventually(() => !isAlive(guarded), { what: 'the end of the guarded process' });
      expect(isAlive(released)).toBe(true);
    } finally {
      process.kill(released, 'SIGKILL');
    }
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
