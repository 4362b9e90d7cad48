import { execFile, fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { transform, type Options } from '@swc/core';

const run = promisify(execFile);
const PROGRAM = join(process.cwd(), 'test/support/processes/older-cache.mjs');
/**
 * The folder that is taken from the commit. It holds the cache and everything of this project that the cache imports.
 */
const SOURCES = 'libs/infra/src';
/** The same options with which Jest compiles the current sources (jest.config.mjs). */
const COMPILER: Options = {
  swcrc: false,
  configFile: false,
  module: { type: 'es6' },
  jsc: {
    target: 'es2022',
    keepClassNames: true,
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true },
  },
};

/**
 * The cache as of a commit of this repository, compiled into a folder below `.cache/`, where it finds the installed
 * packages. `of` rejects, and says what to do, if the clone does not reach back to that commit.
 */
export class OlderBuild {
  private constructor(private readonly folder: string) {}

  static async of(commit: string): Promise<OlderBuild> {
    await run('git', ['cat-file', '-e', `${commit}^{commit}`]).catch((cause: unknown) => {
      const advice = 'this test needs the whole history: git fetch --unshallow, or a checkout without a depth';
      throw new Error(`the commit ${commit} is not in this clone; ${advice}`, { cause });
    });
    await mkdir('.cache', { recursive: true });
    const build = new OlderBuild(await mkdtemp(join(process.cwd(), '.cache', `build-${commit.slice(0, 7)}-`)));
    try {
      await build.make(commit);
      return build;
    } catch (error) {
      await build.remove();
      throw error;
    }
  }

  /** Starts a process with a cache of this commit, which connects at `open`. */
  start(redisUrl: string, appName: string): OlderCache {
    return new OlderCache(pathToFileURL(this.folder).href, redisUrl, appName);
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  private async make(commit: string): Promise<void> {
    const archive = join(this.folder, 'sources.tar');
    await run('git', ['archive', '--format=tar', '--output', archive, commit, SOURCES]);
    await run('tar', ['-xf', archive, '-C', this.folder]);
    await writeFile(join(this.folder, 'package.json'), '{ "type": "module" }');
    const files = await readdir(join(this.folder, SOURCES), { recursive: true });
    const sources = files.filter((file) => file.endsWith('.ts') && !/\.(spec|d)\.ts$/.test(file));
    await Promise.all(sources.map((file) => compile(join(this.folder, SOURCES, file))));
  }
}

/** A cache of another commit, in another process. */
export class OlderCache {
  private readonly child: ChildProcess;
  private readonly pending = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  private calls = 0;

  constructor(...args: readonly string[]) {
    this.child = fork(PROGRAM, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.child.on('message', ({ id, result, error }: { id: number; result: unknown; error?: object }) => {
      const call = this.pending.get(id);
      this.pending.delete(id);
      if (error) call?.reject(Object.assign(new Error(), error));
      else call?.resolve(result);
    });
    this.child.on('exit', (code, signal) => {
      for (const { reject } of this.pending.values()) reject(new Error(`the process has ended (${code ?? signal})`));
    });
  }

  /** Rejects as `CacheService.open` does. */
  async open(): Promise<void> {
    await this.call('open');
  }

  /** `getOrSet` of an entry that depends on a record named after its key; the fetcher returns `value`. */
  read(key: string, value: string): Promise<unknown> {
    return this.call('read', { key, value });
  }

  /** Resolves when the invalidation is acknowledged. */
  async invalidate(key: string): Promise<void> {
    await this.call('invalidate', { key });
  }

  /** Stops the process (SIGSTOP) until `resume`. */
  pause(): void {
    this.child.kill('SIGSTOP');
  }

  resume(): void {
    this.child.kill('SIGCONT');
  }

  /** Closes the cache and ends its process. */
  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exited = once(this.child, 'exit');
    this.resume();
    await this.call('close');
    this.child.disconnect();
    await exited;
  }

  private call(method: string, details: object = {}): Promise<unknown> {
    const id = ++this.calls;
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject });
      this.child.send({ id, method, ...details });
    });
  }
}

async function compile(file: string): Promise<void> {
  const { code } = await transform(await readFile(file, 'utf8'), { ...COMPILER, filename: file });
  await writeFile(file.replace(/\.ts$/, '.js'), code);
}
