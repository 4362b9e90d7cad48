import { afterEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { AppProcess } from './support/app-process.js';
import { freePort } from '../support/free-port.js';
import { Portal } from './support/portal.js';

describe('start and stop', () => {
  let portal: Portal | undefined;
  afterEach(async () => {
    await portal?.stop();
    portal = undefined;
  });

  it('a wrong configuration stops the start and names every problem, but no secret', async () => {
    const bff = AppProcess.start('bff', {
      PORT: 'eighty',
      REDIS_URL: 'http://redis',
      SF_LOGIN_URL: 'https://example.my.salesforce.com',
      SF_CLIENT_SECRET: 'hunter2-hunter2',
      CACHE_PARTITIONS: '0',
      CACHE_PARTITION: '4',
    });
    expect(await bff.exit()).toBe(1);
    for (const name of ['PORT', 'REDIS_URL', 'SF_CLIENT_ID', 'CACHE_PARTITIONS', 'CACHE_PARTITION', 'AUTH_ISSUER']) {
      expect(bff.output).toContain(name);
    }
    expect(bff.output).not.toContain('hunter2');
    expect(bff.output).not.toMatch(/\n\s+at /);
  });

  it('[N10] a taken port is said in a line, with the variable that chooses another', async () => {
    portal = await Portal.embedded();
    const [port, bffPort] = [portal.sandboxUrl, portal.bffUrls[0] as string].map((url) => new URL(url).port);
    const free = String(await freePort());
    const cases = [
      ['sandbox', 'SANDBOX_PORT', port, { SANDBOX_PORT: port, SANDBOX_GRPC_PORT: free }],
      ['sandbox', 'SANDBOX_GRPC_PORT', port, { SANDBOX_PORT: free, SANDBOX_GRPC_PORT: port }],
      ['bff', 'PORT', bffPort, { PORT: bffPort, SANDBOX_PORT: port }],
    ] as const;
    for (const [app, variable, taken, env] of cases) {
      const second = AppProcess.start(app, { ...env, LOG_LEVEL: 'error' } as Record<string, string>);
      expect(await second.exit()).toBe(1);
      const words = `port ${taken} of 127.0.0.1 is in use by another process: stop that one, or set ${variable} to a free port`;
      // Nest writes a line of its own before ours.
      expect(second.output.trim().split('\n').at(-1)).toBe(words);
      expect(second.output).not.toMatch(/\n\s+at /);
    }
  });

  it('[N10] a BFF without its sandbox says in a line where it looked, and how to start it', async () => {
    const port = await freePort();
    const [url, sandbox] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${await freePort()}`];
    const bff = AppProcess.start('bff', { PORT: String(port), SANDBOX_PORT: new URL(sandbox).port });
    try {
      await bff.isReadyAt(`${url}/health/live`);
      await eventually(() => bff.output.includes('npm run start:sandbox'), { what: 'the line' });
      const lines = bff.output.split('\n').filter((line) => line.includes('npm run start:sandbox'));
      expect(lines).toEqual([expect.stringContaining(`the sandbox does not answer at ${sandbox}`)]);
    } finally {
      await bff.stop();
    }
  });

  it('the worker says that it needs Redis', async () => {
    const worker = AppProcess.start('cdc-worker', { WORKER_PORT: String(await freePort()) });
    expect(await worker.exit()).toBe(1);
    expect(worker.output).toMatch(/REDIS_URL/);
  });

  it('SIGTERM lets requests under way finish, and ends with code 0', async () => {
    const running = (portal = await Portal.embedded());
    const before = await running.queries();
    await running.fault({ fault: 'latency', target: 'rest', ms: 1_000 });
    const underWay = running.get('/api/orders');
    await eventually(async () => (await running.queries()) > before, { withinMs: 10_000, what: 'the source is asked' });
    const [bff] = running.bffs as [AppProcess];
    bff.signal('SIGTERM');
    expect((await underWay).status).toBe(200);
    expect(await bff.exit()).toBe(0);
  });

  it('the tokens and secrets of a session appear in no log', async () => {
    portal = await Portal.embedded();
    const token = await portal.token(1);
    await portal.get('/api/orders');
    await portal.get('/api/invoices');
    for (const { output } of [...portal.bffs, portal.sandbox]) {
      expect(output).not.toContain(token.slice(-40));
      expect(output).not.toMatch(/sandbox-secret|00D\w{15}!/);
    }
  });
});
