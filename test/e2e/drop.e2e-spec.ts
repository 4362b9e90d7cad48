import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startRedisServer } from '../support/redis/redis-server.js';
import { eventually } from '../support/eventually.js';
import { cleanEnvironment } from './support/app-process.js';
import { Portal } from './support/portal.js';

interface Dropped {
  readonly code: number | null;
  readonly output: string;
}

/** What `npm run drop -- <what>` runs, and what an operator runs in the image. */
function drop(what: string, env: Readonly<Record<string, string>>): Promise<Dropped> {
  const program = join(process.cwd(), 'dist/apps/cdc-worker/src/drop-main.js');
  const child = spawn(process.execPath, [program, ...what.split(' ')], { env: cleanEnvironment(env) });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += String(chunk)));
  return new Promise((done) => child.once('close', (code) => done({ code, output })));
}

describe('dropping by hand', () => {
  let portal: Portal;
  beforeAll(async () => {
    // Neither events nor the reconciler: nothing but the drop itself can end an entry within the minute.
    portal = await Portal.onRedis({ SF_EVENTS_ENABLED: 'false', SF_RECONCILE_SECONDS: '0' });
  });
  afterAll(() => portal.stop());

  const orders = async (bff: number) =>
    (await portal.get('/api/orders', { bff })).body as { id: string; status: string }[];
  /** Reads in both BFFs until both have the list in their L1; returns what each shows. */
  const shown = async (id: string) => {
    const status = async (bff: number) => (await orders(bff)).find((order) => order.id === id)?.status;
    await Promise.all([0, 1].map((bff) => status(bff)));
    return Promise.all([0, 1].map((bff) => status(bff)));
  };

  it('[N8] ends entries in every process, L1s included, and names them: of a record, a key, a table, a domain', async () => {
    const id = (await orders(0))[0]?.id as string;
    let key = '';
    for (const [i, status] of ['Cancelled', 'Activated', 'Cancelled', 'Activated'].entries()) {
      const before = await shown(id);
      await portal.change('Order', id, { Status: status });
      expect(await shown(id)).toEqual(before); // nobody has told the cache
      const what = [`record Order/${id.slice(0, 15)}`, key, 'table Order', 'domain orders'][i] as string;
      const { code, output } = await drop(what, portal.environment);
      expect({ what, code, output }).toMatchObject({
        code: 0,
        output: expect.stringMatching(/^Acknowledged after \d+ ms/),
      });
      expect(output).toMatch(/^Dropped 1 entry:\n {2}orders:account:001\w{15}$/m);
      key = /orders:account:\w+/.exec(output)?.[0] ?? '';
      expect(await shown(id)).toEqual([status, status]);
    }
  });

  it('[N8] says so where nothing depends on it, and refuses what it does not understand', async () => {
    const nothing = await drop('record Order/801000000000000', portal.environment);
    expect(nothing).toEqual({
      code: 0,
      output: expect.stringMatching(/^Acknowledged after .*\nNo entry depended on it\.\n$/),
    });
    for (const what of ['', 'record Order', 'rekord Order/1', 'table', '--all', 'domain orders catalog']) {
      expect(await drop(what, portal.environment)).toEqual({
        code: 2,
        output: expect.stringContaining('npm run drop --'),
      });
    }
  });

  it('[N8] without Redis sends to the process that has the entries, and with a dead one promises nothing', async () => {
    const { REDIS_URL: _, ...embedded } = portal.environment;
    expect(await drop('table Order', embedded)).toEqual({
      code: 2,
      output: expect.stringContaining('Restart the BFF'),
    });
    const redis = await startRedisServer();
    await redis.stop();
    await eventually(async () => {
      const dead = await drop('table Order', { ...portal.environment, REDIS_URL: redis.url });
      expect(dead).toEqual({
        code: 1,
        output: expect.stringMatching(/^Not acknowledged \(CACHE_\w+\): .*\nOld values/),
      });
      return true;
    });
  });
});
