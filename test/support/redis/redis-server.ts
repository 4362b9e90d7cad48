import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../free-port.js';

export interface RedisServerOptions {
  /** Further arguments of redis-server, as on its command line: `['--maxmemory-policy', 'allkeys-lru']`. */
  readonly args?: readonly string[];
  /** @default a free one */
  readonly port?: number;
  /** @default redis-server, looked up in PATH */
  readonly command?: string;
  /** Lines of a configuration file, which the server may rewrite and which survives `restart`. @default no file */
  readonly config?: readonly string[];
  /** How it is started. A Cluster node also gets a free port for the bus; a Sentinel needs `config`. @default alone */
  readonly mode?: 'alone' | 'cluster-node' | 'sentinel';
}

/** A private, real Redis of one test file on 127.0.0.1; it leaves nothing on disk. */
export interface RedisServer {
  readonly port: number;
  readonly url: string;
  /** The pid of the current process; another one after `restart`. */
  readonly pid: number;
  readonly state: 'running' | 'paused' | 'gone';
  /** For a Cluster node: the port of its bus. */
  readonly busPort: number;
  /** Ends the server and removes its folder. May be called twice, and after `kill` or `pause`. */
  stop(): Promise<void>;
  /** Sends a signal that ends the process, and resolves when it is gone. The port is not reserved meanwhile. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Ends the server if it runs, and starts one on the same port: empty, unless a test made it SAVE. */
  restart(): Promise<void>;
  /** Stops the process (SIGSTOP): connections stay open, nothing is answered. */
  pause(): void;
  resume(): void;
}

/** How long a start may take. Redis needs some 10 ms; the rest is for a loaded machine. */
const START_DEADLINE_MS = 15_000;
/** Maximum number of free ports to try: another process may take one between our check and Redis's bind. */
const PORT_ATTEMPTS_MAX = 5;
/**
 * Guarantees a server that has answered PING when the promise resolves, and none left behind when this process ends,
 * however it ends: a watchdog holds the other end of a pipe and kills the server when the pipe closes.
 */
export async function startRedisServer(options: RedisServerOptions = {}): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), 'evergreen-redis-'));
  for (let attempt = 1; ; attempt += 1) {
    const server = new PrivateRedis(options.port ?? (await freePort()), await freePort(), folder, options);
    try {
      await server.start();
      return server;
    } catch (error) {
      const portTaken = error instanceof Error && error.message.includes('Address already in use');
      if (options.port === undefined && portTaken && attempt < PORT_ATTEMPTS_MAX) continue;
      await server.stop();
      throw error;
    }
  }
}

class PrivateRedis implements RedisServer {
  private running: { server: ChildProcess; watchdog: ChildProcess; gone: Promise<void> } | undefined;
  private isPaused = false;

  constructor(
    readonly port: number,
    readonly busPort: number,
    private readonly folder: string,
    private readonly options: RedisServerOptions,
  ) {}

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  get pid(): number {
    const pid = this.running?.server.pid;
    if (pid === undefined) throw new Error(`the Redis of port ${this.port} is not running`);
    return pid;
  }

  get state(): RedisServer['state'] {
    if (!this.running) return 'gone';
    return this.isPaused ? 'paused' : 'running';
  }

  async start(): Promise<void> {
    const logFile = join(this.folder, 'redis.log');
    await rm(logFile, { force: true });
    const command = this.options.command ?? 'redis-server';
    const server = spawn(command, await this.commandLine(logFile), { stdio: 'ignore' });
    const failure = new Promise<Error>((resolve) => server.once('error', resolve));
    if (server.pid === undefined) throw spawnError(command, await failure);
    const gone = once(server, 'exit').then(() => undefined);
    this.running = { server, watchdog: startWatchdog(server.pid, this.folder), gone };
    server.unref();
    const deadline = Date.now() + START_DEADLINE_MS;
    while (!(await answersPing(this.port, server.pid))) {
      const exited = server.exitCode !== null || server.signalCode !== null;
      if (!exited && Date.now() < deadline) {
        await delay(5);
        continue;
      }
      await this.kill();
      const log = await readFile(logFile, 'utf8').catch(() => '(it wrote no log)');
      throw new Error(`redis-server did not start on port ${this.port}; its last words:\n${log.slice(-2_000)}`);
    }
  }

  private async commandLine(logFile: string): Promise<string[]> {
    const { config, mode, args = [] } = this.options;
    const line = ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.folder, '--logfile', logFile];
    if (config) {
      const file = join(this.folder, 'redis.conf');
      // Keeps an existing file: the server may have rewritten it.
      await writeFile(file, `${config.join('\n')}\n`, { flag: 'wx' }).catch(unlessItIsThere);
      line.unshift(file);
    }
    if (mode === 'sentinel') line.push('--sentinel');
    else line.push('--save', '', '--appendonly', 'no');
    if (mode === 'cluster-node') line.push('--cluster-enabled', 'yes', '--cluster-port', String(this.busPort));
    return [...line, '--daemonize', 'no', ...args];
  }

  async stop(): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const running = this.running;
    if (!running) return;
    // A stopped process acts on no signal but SIGKILL until SIGCONT.
    running.server.kill(signal);
    running.server.kill('SIGCONT');
    await running.gone;
    running.watchdog.kill('SIGKILL'); // before another process can get the pid, which the watchdog would kill
    this.running = undefined;
    this.isPaused = false;
  }

  async restart(): Promise<void> {
    await this.kill();
    await this.start();
  }

  pause(): void {
    process.kill(this.pid, 'SIGSTOP');
    this.isPaused = true;
  }

  resume(): void {
    process.kill(this.pid, 'SIGCONT');
    this.isPaused = false;
  }
}

/** `read` ends when our end of the pipe closes, which the system ensures even after SIGKILL. */
function startWatchdog(pid: number, folder: string): ChildProcess {
  const script = 'read _; kill -9 "$1" 2>/dev/null; rm -rf "$2"';
  const watchdog = spawn('sh', ['-c', script, 'watchdog', String(pid), folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true, // so that Ctrl-C in the terminal does not end the watchdog before its work is done
  });
  watchdog.unref();
  (watchdog.stdin as unknown as { unref(): void }).unref();
  return watchdog;
}

function spawnError(command: string, cause: Error): Error {
  const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
  const text = missing ? 'is not on this machine; install it: apt-get install -y redis-server' : 'could not be started';
  return new Error(`${command} ${text}`, { cause });
}

/**
 * Whether a server answers on this port and has this pid: on a fixed port, another server might answer. The pid of a
 * server with a password is not compared.
 */
async function answersPing(port: number, pid: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    socket.setTimeout(1_000, () => socket.destroy(new Error('no answer')));
    await once(socket, 'connect');
    socket.write('PING\r\nINFO server\r\n');
    let text = '';
    for await (const chunk of socket) {
      text += String(chunk);
      const answered = /process_id:(\d+)\r\n/.exec(text);
      // NOPERM counts as alive too: a test may restrict the default user.
      if (answered) return /^(\+PONG|-NOPERM)/.test(text) && Number(answered[1]) === pid;
      if (text.startsWith('-NOAUTH')) return true; // it has a password: it is alive, and tells no pid
      if (/^-(?!LOADING|NOPERM)/.test(text)) throw new Error(text);
    }
    return false;
  } catch {
    return false; // not there yet: the caller asks again until its deadline
  } finally {
    socket.destroy();
  }
}

function unlessItIsThere(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}
