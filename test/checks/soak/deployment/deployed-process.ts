import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Watchdog } from '../../consistency/watchdog.js';
import { cleanEnvironment, type AppName } from '../../../e2e/support/app-process.js';
import { eventually } from '../../../support/eventually.js';
import type { HttpClient } from './http-client.js';

const LAST_WORDS_MAX = 4_000;
const START_MS = 60_000;
const PROBE_MS = 1_000;

/** A built app as a process that can be killed and stopped, and that does not outlive this process. */
export class DeployedProcess {
  isStopped = false;
  /** How it ended by itself; undefined while it runs, or when this class ended it. */
  unexpectedEnd: string | undefined;
  readonly gone: Promise<void>;
  private lastWords = '';
  private isExpectedToEnd = false;
  private readonly child: ChildProcess;

  constructor(
    readonly name: AppName,
    env: Readonly<Record<string, string>>,
    watchdog: Watchdog,
  ) {
    const program = join(process.cwd(), `dist/apps/${name}/src/main.js`);
    if (!existsSync(program)) throw new Error(`${program} is missing: run "npm run build" first`);
    this.child = spawn(process.execPath, [program], { env: cleanEnvironment(env), stdio: ['ignore', 'pipe', 'pipe'] });
    watchdog.guard(this.pid);
    const keep = (text: Buffer) => (this.lastWords = (this.lastWords + String(text)).slice(-LAST_WORDS_MAX));
    this.child.stdout?.on('data', keep);
    this.child.stderr?.on('data', keep);
    this.gone = once(this.child, 'exit').then(([code, signal]) => {
      watchdog.release(this.pid);
      if (this.isExpectedToEnd) return;
      this.unexpectedEnd = `a ${name} ended by itself (code ${code}, signal ${signal}): ${this.lastWords.trim()}`;
    });
  }

  get pid(): number {
    return this.child.pid as number;
  }

  /** The last part of its log. */
  get output(): string {
    return this.lastWords;
  }

  get hasExited(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Resolves when the address answers with a status below 500. Rejects if the app ends before, or after `START_MS`. */
  async isReady(http: HttpClient, path: string): Promise<void> {
    const isUp = async () => {
      if (this.hasExited) throw new Error(`${this.name} has ended:\n${this.lastWords}`);
      return http.call(path, { timeoutMs: PROBE_MS }).then(
        ({ status }) => status < 500,
        () => false,
      );
    };
    await eventually(isUp, { withinMs: START_MS, what: `an answer of ${this.name} at ${http.origin}${path}` });
  }

  /** Stops the process until `resume`. */
  stop(): void {
    this.isStopped = true;
    this.child.kill('SIGSTOP');
  }

  resume(): void {
    this.isStopped = false;
    this.child.kill('SIGCONT');
  }

  /** Ends the process by a signal; SIGKILL works in any state. */
  async end(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
    this.isExpectedToEnd = true;
    this.child.kill(signal);
    await this.gone;
  }
}
