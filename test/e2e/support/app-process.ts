import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../../support/eventually.js';

export type AppName = 'bff' | 'cdc-worker' | 'sandbox';

/**
 * The environment of a child: a few basics such as PATH, and the variables that the test names; no others of this
 * process.
 */
export function cleanEnvironment(own: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const kept = ['PATH', 'HOME', 'LANG', 'npm_config_cache'].map((name) => [name, process.env[name]]);
  return { ...Object.fromEntries(kept.filter(([, value]) => value !== undefined)), NO_COLOR: '1', ...own };
}

/** A built app in a process of its own, with all that it writes in `output`. */
export class AppProcess {
  output = '';

  private constructor(
    readonly name: AppName,
    private readonly child: ChildProcess,
  ) {
    child.stdout?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
  }

  static start(name: AppName, env: Readonly<Record<string, string>>): AppProcess {
    const program = join(process.cwd(), `dist/apps/${name}/src/main.js`);
    if (!existsSync(program)) throw new Error(`${program} is missing: run "npm run build" first ("npm test" does)`);
    return new AppProcess(
      name,
      spawn(process.execPath, [program], { env: cleanEnvironment(env), stdio: ['ignore', 'pipe', 'pipe'] }),
    );
  }

  get pid(): number {
    return this.child.pid as number;
  }

  get hasExited(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Resolves when the address answers with a status below 500. Throws if the app ends before, or after 30 s. */
  async isReadyAt(url: string): Promise<void> {
    const isUp = async () => {
      if (this.hasExited) throw new Error(`${this.name} has ended:\n${this.output}`);
      return fetch(url).then(
        (response) => response.status < 500,
        () => false,
      );
    };
    await eventually(isUp, { withinMs: 30_000, what: `${this.name} answers at ${url}` });
  }

  /** Resolves with the exit code; null if a signal ended it. */
  async exit(): Promise<number | null> {
    if (!this.hasExited) await once(this.child, 'exit');
    return this.child.exitCode;
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (!this.hasExited) this.child.kill(signal);
    return this.exit();
  }
}
