import { request } from 'node:http';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { elapse, eventually } from '../support/eventually.js';
import { SteadyLoad, type Sample } from '../support/steady-load.js';
import { AppProcess } from './support/app-process.js';
import { freePort } from '../support/free-port.js';
import { Nginx } from './support/nginx.js';
import { Portal } from './support/portal.js';

const DRAIN_MS = 3_000;
const PROBE_MS = 1_000;
const PER_SECOND = 100;
const TOKEN = randomBytes(32).toString('hex');

/** The status of an answer over a connection of its own, as every caller has one that comes anew. Rejects without one. */
function status(url: string, token?: string): Promise<number> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return new Promise((resolve, reject) => {
    request(url, { agent: false, headers }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer.statusCode as number));
      answer.on('error', reject);
    })
      .on('error', reject)
      .end();
  });
}

/** What became of the requests that were not answered with 200. */
function failed(samples: readonly Sample[]): unknown[] {
  return samples
    .filter(({ answer }) => answer !== 200)
    .map(({ sentAt, ms, answer, error }) => ({
      sentAt,
      ms,
      answer,
      code: (error as { code?: string } | undefined)?.code,
    }));
}

describe('a process that ends', () => {
  let portal: Portal;
  let customer: string;
  beforeAll(async () => {
    portal = await Portal.onRedis({ SHUTDOWN_DRAIN_MS: String(DRAIN_MS) });
    customer = await portal.token(1);
    for (const url of portal.bffUrls) expect(await status(`${url}/api/orders`, customer)).toBe(200);
  }, 60_000);
  afterAll(() => portal.stop());

  it('[N6] says so to its probe at once, and refuses nobody before the drain is over', async () => {
    const [url] = portal.bffUrls as [string];
    const [bff] = portal.bffs as [AppProcess];
    const load = new SteadyLoad(PER_SECOND, () => status(`${url}/api/orders`, customer));
    const probes = new SteadyLoad(1_000 / PROBE_MS, () => status(`${url}/health/ready`));
    const lives = new SteadyLoad(1_000 / PROBE_MS, () => status(`${url}/health/live`));
    await elapse(1_500);
    const endsAt = performance.now();
    bff.signal('SIGTERM');
    expect(await bff.exit()).toBe(0);
    await Promise.all([load.stop(), probes.stop(), lives.stop()]);

    // A busy machine may take long to get to a connection, so a failure counts when it shows.
    const early = load.samples.filter(({ sentAt, ms }) => sentAt + ms < endsAt + DRAIN_MS);
    expect(failed(early)).toEqual([]);
    // Requests were sent all the time, and answered: the drain is a time in which it works.
    expect(early.filter(({ sentAt }) => sentAt > endsAt).length).toBeGreaterThan(PER_SECOND);
    const answers = (samples: readonly Sample[]) => [...new Set(samples.map(({ answer }) => answer))];
    // One that was sent before the signal may be answered after it.
    expect(answers(probes.samples.filter(({ sentAt, ms }) => sentAt + ms < endsAt))).toEqual([200]);
    expect(answers(probes.between(endsAt + 100, endsAt + DRAIN_MS))).toEqual([503]);
    expect(failed(lives.samples.filter(({ sentAt, ms }) => sentAt + ms < endsAt + DRAIN_MS))).toEqual([]);
    await portal.restartBff(0);
  }, 30_000);

  it('[N6] fails no request behind an nginx from which it is taken when its probe says 503', async () => {
    const nginx = await Nginx.start(portal.bffUrls);
    const ready = new Set(portal.bffUrls);
    // nginx itself does not probe: as in a deployment, something beside it does, and tells it.
    const probe = setInterval(() => {
      for (const url of portal.bffUrls) {
        void status(`${url}/health/ready`)
          .catch(() => 0)
          .then(async (code) => {
            const isChanged = code === 200 ? !ready.has(url) && ready.add(url) : ready.delete(url);
            if (isChanged) await nginx.sendTo([...ready]);
          });
      }
    }, PROBE_MS);
    const load = new SteadyLoad(PER_SECOND, () => status(`${nginx.url}/api/orders`, customer));
    try {
      await elapse(1_500);
      const [bff] = portal.bffs as [AppProcess];
      bff.signal('SIGTERM');
      expect(await bff.exit()).toBe(0);
      await portal.restartBff(0);
      await eventually(() => ready.size === 2, { withinMs: 10_000, what: 'it is back behind nginx' });
      await elapse(1_000);
    } finally {
      await load.stop();
      clearInterval(probe);
      await nginx.stop();
    }
    expect(load.samples.length).toBeGreaterThan(PER_SECOND * 4);
    expect(failed(load.samples)).toEqual([]);
  }, 60_000);

  it('[N6] [C11] as a worker answers its probe while it drains, and tells operators alone about the events', async () => {
    const port = await freePort();
    const health = `http://127.0.0.1:${port}/health`;
    const env = {
      REDIS_URL: portal.redis?.url as string,
      SANDBOX_PORT: new URL(portal.sandboxUrl).port,
      WORKER_PORT: String(port),
      SHUTDOWN_DRAIN_MS: '1500',
      OPERATOR_TOKEN: TOKEN,
      OPERATOR_ADDRESSES: '203.0.113.1',
    };
    const worker = AppProcess.start('cdc-worker', env);
    await worker.isReadyAt(`${health}/ready`);
    expect(await status(`${health}/sf-events`)).toBe(401);
    expect(await status(`${health}/sf-events`, TOKEN)).toBe(200);
    const endsAt = performance.now();
    worker.signal('SIGTERM');
    await eventually(async () => (await status(`${health}/ready`)) === 503, { what: 'it drains' });
    expect(await (await fetch(`${health}/ready`)).json()).toEqual({ status: 'draining' });
    expect(await status(`${health}/live`)).toBe(200);
    expect(await worker.exit()).toBe(0);
    expect(performance.now() - endsAt).toBeGreaterThanOrEqual(1_500);
  }, 30_000);
});
