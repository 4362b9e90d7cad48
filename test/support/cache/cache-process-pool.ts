import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { CreateCacheOptions } from '@bff/infra/cache/create-cache';
import type { RedisConnectionOptions } from '@bff/infra/redis/redis-client';
import type { CacheRequest, CacheResponse } from '../processes/cache-process.messages.js';

const PROGRAM = join(process.cwd(), 'dist/test/support/processes/cache-process.js');
type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never;

/** A child process with a cache over the Redis of the test. */
export class CacheProcess {
  private readonly pending = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  private readonly listeners = new Set<(response: CacheResponse) => void>();
  private nextId = 1;

  private constructor(private readonly child: ChildProcess) {
    child.on('message', (response: CacheResponse) => {
      for (const listener of this.listeners) listener(response);
      if (response.kind !== 'result' && response.kind !== 'error') return;
      const call = this.pending.get(response.id);
      this.pending.delete(response.id);
      if (response.kind === 'result') call?.resolve(response.result);
      else call?.reject(new Error(response.message));
    });
    child.on('exit', (code, signal) => {
      const end = new Error(`the process has ended (code ${code}, signal ${signal})`);
      for (const call of this.pending.values()) call.reject(end);
    });
  }

  static start(redisUrl: string, appName: string, l1: 'off' | 'strict' = 'off'): Promise<CacheProcess> {
    return CacheProcess.startWith(redisUrl, {}, { appName, l1 });
  }

  /**
   * Starts a process whose source of truth (`sourceUrl`) may lie in another Redis than the cache. An empty `connection`
   * puts the cache into the source's Redis.
   */
  static async startWith(
    sourceUrl: string,
    connection: RedisConnectionOptions,
    options: CreateCacheOptions,
  ): Promise<CacheProcess> {
    if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM} is missing: run "npm run build" first ("npm test" does)`);
    const started = new CacheProcess(
      fork(PROGRAM, [sourceUrl, JSON.stringify(connection), JSON.stringify(options)], {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      }),
    );
    await started.hears((response) => response.kind === 'ready');
    return started;
  }

  call(request: WithoutId<CacheRequest>): Promise<unknown> {
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject });
      this.child.send({ ...request, id });
    });
  }

  /** Resolves when the process sends a response that fits. */
  hears(fits: (response: CacheResponse) => boolean): Promise<void> {
    return new Promise((resolve) => {
      const listener = (response: CacheResponse) => {
        if (!fits(response)) return;
        this.listeners.delete(listener);
        resolve();
      };
      this.listeners.add(listener);
    });
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exited = once(this.child, 'exit');
    this.child.kill(signal);
    await exited;
  }
}
