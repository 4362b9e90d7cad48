import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { transformFile } from '@swc/core';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { startRedisServer, type RedisServer, type RedisServerOptions } from './redis-server.js';

describe('startRedisServer', () => {
  const started: RedisServer[] = [];
  const clients: Redis[] = [];

  async function start(options?: RedisServerOptions) {
    const server = await startRedisServer(options);
    started.push(server);
    return server;
  }
  function client(server: RedisServer) {
    const redis = new Redis(server.url, { maxRetriesPerRequest: 0, retryStrategy: null, commandTimeout: 2_000 });
    redis.on('error', () => undefined); // a test may end the server of a connected client
    clients.push(redis);
    return redis;
  }

  afterEach(async () => {
    const connected = clients.splice(0).filter((redis) => redis.status !== 'end');
    connected.forEach((redis) => redis.disconnect());
    await Promise.all(started.splice(0).map((server) => server.stop()));
  });

  it('answers at once, on a port of its own, with the arguments given', async () => {
    const [one, two] = await Promise.all([start(), start({ args: ['--maxmemory-policy', 'allkeys-lru'] })]);
    expect(one.port).not.toBe(two.port);
    expect(await client(one).ping()).toBe('PONG');
    expect(await client(two).config('GET', 'maxmemory-policy')).toEqual(['maxmemory-policy', 'allkeys-lru']);
  });

  it('restarts empty on the same port, also after a kill', async () => {
    const server = await start();
    const { pid, port } = server;
    await client(server).set('a', '1');
    await server.kill();
    expect(() => server.pid).toThrow('not running');
    await server.restart();
    expect(server.port).toBe(port);
    expect(server.pid).not.toBe(pid);
    expect(await client(server).dbsize()).toBe(0);
  });

  it('stands still while paused, and can be stopped then', async () => {
    const server = await start();
    const redis = client(server);
    await redis.ping();
    server.pause();
    const answer = redis.ping();
    expect(await Promise.race([answer, delay(100, 'silence')])).toBe('silence');
    server.resume();
    expect(await answer).toBe('PONG');
    server.pause();
    const { pid } = server;
    await server.stop();
    expect(isAlive(pid)).toBe(false);
  });

  it('says how to install it when it is missing', async () => {
    const missing = startRedisServer({ command: 'no-such-redis-server' });
    await expect(missing).rejects.toThrow('install it: apt-get install -y redis-server');
  });

  it('repeats what redis-server said when it does not start', async () => {
    await expect(startRedisServer({ args: ['--no-such-option', 'x'] })).rejects.toThrow('did not start');
    const taken = await start();
    await expect(startRedisServer({ port: taken.port })).rejects.toThrow('Address already in use');
  });

  it('leaves no server behind when its process is killed', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'evergreen-killed-'));
    for (const file of ['free-port', 'redis/redis-server']) {
      const { code } = await transformFile(`test/support/${file}.ts`, {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
        module: { type: 'es6' },
      });
      await mkdir(dirname(join(folder, file)), { recursive: true });
      await writeFile(join(folder, `${file}.js`), code);
    }
    await writeFile(join(folder, 'package.json'), '{"type":"module"}');
    const script = `import { startRedisServer } from ${JSON.stringify(join(folder, 'redis/redis-server.js'))};
      console.log((await startRedisServer()).port); setInterval(() => 0, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module'], { stdio: ['pipe', 'pipe', 'inherit'] });
    child.stdin.end(script);
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const port = Number(String(line));
    expect(await accepts(port)).toBe(true);
    child.stdout.destroy();
    child.kill('SIGKILL');
    const deadline = Date.now() + 5_000;
    while ((await accepts(port)) && Date.now() < deadline) await delay(10);
    expect(await accepts(port)).toBe(false);
    await rm(folder, { recursive: true });
  });
});

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
