import { afterEach, describe, expect, it } from '@jest/globals';
import { AppProcess, freePort } from './support/app-process.js';
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

  it('a taken port is said in a line', async () => {
    portal = await Portal.embedded();
    const port = new URL(portal.sandboxUrl).port;
    const second = AppProcess.start('sandbox', { SANDBOX_PORT: port });
    expect(await second.exit()).not.toBe(0);
    expect(second.output).toMatch(new RegExp(`${port}`));
  });

  it('the worker says that it needs Redis', async () => {
    const worker = AppProcess.start('cdc-worker', { WORKER_PORT: String(await freePort()) });
    expect(await worker.exit()).toBe(1);
    expect(worker.output).toMatch(/REDIS_URL/);
  });

  it('SIGTERM lets requests under way finish, and ends with code 0', async () => {
    portal = await Portal.embedded();
    const underWay = portal.get('/api/orders');
    await new Promise((resolve) => setTimeout(resolve, 60));
    const [bff] = portal.bffs as [AppProcess];
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
