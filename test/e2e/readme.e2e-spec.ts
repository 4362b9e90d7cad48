import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { startRedisServer, type RedisServer } from '../support/redis/redis-server.js';
import { cleanEnvironment } from './support/app-process.js';
import { freePort } from '../support/free-port.js';

/** The commands of README.md below the heading on Redis: those that start, and those that look and kill. */
function blocks(): [start: string, watch: string] {
  const [, section = ''] = readFileSync('README.md', 'utf8').split('### With Redis, and as many processes as you like');
  const found = [...section.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = '']) => block);
  return found.slice(0, 2) as [string, string];
}

const workersReady = [3100, 3101]
  .map((port) => `curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:${port}/health/ready`)
  .join('; ');

describe('the takeover that README.md shows', () => {
  let redis: RedisServer;
  let folder: string;
  let shell: ChildProcess;
  let env: NodeJS.ProcessEnv;
  let ownPorts: (text: string) => string;

  beforeAll(async () => {
    redis = await startRedisServer();
    folder = mkdtempSync(join(tmpdir(), 'evergreen-readme-'));
    const ports = new Map<string, number>([['6379', redis.port]]);
    for (const port of ['3000', '3001', '3100', '3101', '4000', '4001']) ports.set(port, await freePort());
    ownPorts = (text) => text.replace(/\b(?:6379|300[01]|310[01]|400[01])\b/g, (port) => String(ports.get(port)));
    env = cleanEnvironment({
      PORT: String(ports.get('3000')),
      WORKER_PORT: String(ports.get('3100')),
      SANDBOX_PORT: String(ports.get('4000')),
      SANDBOX_GRPC_PORT: String(ports.get('4001')),
    });
  });
  afterAll(async () => {
    try {
      process.kill(-(shell.pid as number), 'SIGTERM'); // the group: all that the shell has started
    } catch {
      // nothing is left of it
    }
    await once(shell, 'close').catch(() => undefined);
    await redis.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** The output of commands, run by a shell of their own. */
  async function output(commands: string): Promise<string> {
    const child = spawn('bash', ['-c', ownPorts(commands)], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => (text += String(chunk)));
    await once(child, 'close');
    return text.trim();
  }
  const logs = () =>
    readdirSync(folder)
      .map((file) => `${file}:\n${readFileSync(join(folder, file), 'utf8').slice(-2_000)}`)
      .join('\n');

  it('[N2] starts with the commands there, and goes on after the consuming worker was killed with them', async () => {
    const [start, watch] = blocks();
    // Its build is made: this test needs one, too.
    const commands = ownPorts(start)
      .replace(/^npm run build$/m, ':')
      .replace(/> (\S+\.log)/g, `> ${folder}/$1`);
    shell = spawn('bash', ['-c', `${commands}\nwait`], { env, detached: true, stdio: 'ignore' });
    const [look = '', kill = ''] = [/^seen\(\) .*$/m, /^kill -9 .*$/m].map((line) => line.exec(watch)?.[0]);
    const seen = () => output(`${look}\nseen`);
    const pid = (text: string) => /"leader":"[^:]*:(\d+)/.exec(text)?.[1];
    let before = '';
    const areReady = async () => (await output(workersReady)) === '200200';
    await eventually(async () => /"status":"up".*"leader"/.test((before = await seen())) && (await areReady()), {
      withinMs: 120_000,
      what: 'two workers, of which one consumes',
    }).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${before}\n${logs()}`);
    });
    await output(`${look}\n${kill}`);
    let after = '';
    await eventually(
      async () => {
        after = await seen();
        return /"status":"up"/.test(after) && pid(after) !== undefined && pid(after) !== pid(before);
      },
      { withinMs: 60_000, what: 'another worker consumes' },
    );
    expect(await output("curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:4000/health")).toBe('200'); // the sandbox lives on
  }, 240_000);
});
