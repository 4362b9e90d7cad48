import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../workspace.mjs';

/** How many last lines of a dead child's output are shown. */
const LAST_LINES_MAX = 20;

/** Starts and stops programs together. When one ends by itself, `onDeath` is called once, with its last lines. */
export class ChildProcesses {
  #children = [];
  #isStopping = false;
  #onDeath;

  constructor(onDeath) {
    this.#onDeath = onDeath;
    process.on('exit', () => this.#children.forEach(({ child }) => child.kill('SIGKILL')));
  }

  /**
   * Starts a built program and returns the path of the file that receives its output. The port is part of the path:
   * another `npm start` in this checkout has other ports, and must not empty these files.
   */
  start({ name, port }, file, env) {
    const folder = join(root, '.cache', 'start');
    mkdirSync(folder, { recursive: true });
    const logFile = join(folder, `${name}-${port}.log`);
    const log = createWriteStream(logFile);
    // A separate process group: Ctrl-C then reaches the child once, from us, and not also from the terminal.
    const detached = process.platform !== 'win32';
    const child = spawn(process.execPath, [file], { cwd: root, env, detached, stdio: ['ignore', 'pipe', 'pipe'] });
    let tail = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        log.write(chunk);
        tail = `${tail}${chunk}`.slice(-20_000);
      });
    }
    const gone = new Promise((resolve) => child.once('close', resolve));
    this.#children.push({ child, gone });
    child.once('close', (code, signal) => {
      log.end();
      if (this.#isStopping) return;
      this.#isStopping = true;
      const lines = tail
        .trimEnd()
        .split('\n')
        .slice(-LAST_LINES_MAX)
        .map((line) => `  ${line}`);
      this.#onDeath(`${name} has ended (${signal ?? `exit code ${code}`}). Its last words:\n${lines.join('\n')}`);
    });
    return logFile;
  }

  /** Asks all to end, and kills the rest after `graceMs`. */
  async stop(graceMs) {
    this.#isStopping = true;
    this.#children.forEach(({ child }) => child.kill('SIGTERM'));
    const overdue = setTimeout(() => this.#children.forEach(({ child }) => child.kill('SIGKILL')), graceMs);
    await Promise.all(this.#children.map(({ gone }) => gone));
    clearTimeout(overdue);
  }
}
