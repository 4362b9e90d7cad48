import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './workspace.mjs';

/** How much of a dead child's output is shown. */
const LAST_LINES_MAX = 20;

/** Starts programs together and ends them together: when one ends by itself, `onDeath` is called once, with its last words. */
export class ChildProcesses {
  #children = [];
  #isStopping = false;
  #onDeath;

  constructor(onDeath) {
    this.#onDeath = onDeath;
    process.on('exit', () => this.#children.forEach(({ child }) => child.kill('SIGKILL')));
  }

  /**
   * Starts a built program; its output goes to a file of its own, whose path is the result. The port is part of that
   * path: another `npm start` in this checkout has other ports, and must not empty the files of this one.
   */
  start({ name, port }, file, env) {
    const folder = join(root, '.cache', 'start');
    mkdirSync(folder, { recursive: true });
    const logFile = join(folder, `${name}-${port}.log`);
    const log = createWriteStream(logFile);
    // In a process group of its own, so that Ctrl-C reaches it once, from us, and not a second time from the terminal.
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

  /** Asks all to end, and ends what is left after `graceMs`. */
  async stop(graceMs) {
    this.#isStopping = true;
    this.#children.forEach(({ child }) => child.kill('SIGTERM'));
    const overdue = setTimeout(() => this.#children.forEach(({ child }) => child.kill('SIGKILL')), graceMs);
    await Promise.all(this.#children.map(({ gone }) => gone));
    clearTimeout(overdue);
  }
}
