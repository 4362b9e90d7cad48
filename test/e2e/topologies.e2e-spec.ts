import { afterEach, describe, expect, it } from '@jest/globals';
import { Partitions } from '@bff/infra/cache/store/redis/partition/partition';
import { eventually } from '../support/eventually.js';
import { startRedisCluster } from '../support/redis/redis-cluster.js';
import { startRedisSentinels } from '../support/redis/redis-sentinels.js';
import type { RedisServer } from '../support/redis/redis-server.js';
import { LATENCY_MS, Portal } from './support/portal.js';

/** Time limit of a test, which starts a topology and four programs and goes through a failover, on two cores. */
const TEST_MS = 180_000;
const PATIENCE_MS = 20_000;

interface Order {
  id: string;
  status: string;
}

interface Topology {
  /** The variables as docs/operating/redis-topologies.md names them. */
  readonly env: Readonly<Record<string, string>>;
  waitUntilWhole(): Promise<void>;
  /** A node that holds data of the product and accepts writes. */
  aMaster(): Promise<RedisServer>;
  stop(): Promise<void>;
}

const textOf = (addresses: readonly { host: string; port: number }[]) =>
  addresses.map(({ host, port }) => `${host}:${port}`).join(',');

const topologies: Readonly<Record<string, () => Promise<Topology>>> = {
  'a Cluster': async () => {
    const cluster = await startRedisCluster();
    return {
      env: { REDIS_CLUSTER_NODES: textOf(cluster.addresses), CACHE_PARTITIONS: '4' },
      waitUntilWhole: () => cluster.waitUntilWhole(),
      aMaster: () => cluster.masterOf(new Partitions('evergreen', 4).all[0]!.gateKey),
      stop: () => cluster.stop(),
    };
  },
  Sentinels: async () => {
    const group = await startRedisSentinels();
    return {
      env: { REDIS_SENTINELS: textOf(group.addresses), REDIS_SENTINEL_NAME: group.name },
      waitUntilWhole: () => group.waitUntilWhole(),
      aMaster: () => group.currentMaster(),
      stop: () => group.stop(),
    };
  },
};

describe.each(Object.entries(topologies))('the portal on %s', (_, start) => {
  let topology: Topology;
  let portal: Portal | undefined;
  afterEach(async () => {
    await portal?.stop();
    await topology.stop();
  }, TEST_MS);

  it(
    'shows orders and their changes, and goes on when a master is killed',
    async () => {
      topology = await start();
      const running = (portal = await Portal.with(topology.env));
      const orders = async (bff: number) => running.get('/api/orders', { bff });
      const isHealthy = async () => {
        const answers = await Promise.all([0, 1].map((bff) => running.request('/health', {}, bff)));
        const isUp = ({ status, body }: { status: number; body: unknown }) =>
          status === 200 && !JSON.stringify(body).includes('"down"');
        const events = await running.request('/health/sf-events');
        return answers.every(isUp) && events.status === 200;
      };
      const walk = async (description: string) => {
        await eventually(isHealthy, { withinMs: PATIENCE_MS, what: `health is up ${description}` });
        const [order] = (await orders(0)).body as [Order];
        await eventually(async () => (await orders(1)).ms < LATENCY_MS, { withinMs: PATIENCE_MS, what: 'a hit' });
        const status = order.status === 'Cancelled' ? 'Activated' : 'Cancelled';
        await running.change('Order', order.id, { Status: status });
        for (const bff of [0, 1]) {
          const shows = async () =>
            ((await orders(bff)).body as Order[]).find(({ id }) => id === order.id)?.status === status;
          await eventually(shows, { withinMs: PATIENCE_MS, what: `the change shows ${description}` });
        }
      };
      await walk('at first');
      const master = await topology.aMaster();
      await master.kill();
      const isReplaced = async () => (await topology.aMaster()) !== master;
      await eventually(isReplaced, { withinMs: PATIENCE_MS, what: 'another master' });
      await topology.waitUntilWhole();
      await walk('after a master was killed');
      await master.restart();
      await topology.waitUntilWhole();
      await walk('when it is back');
      for (const app of [...running.bffs, running.worker]) expect(app?.hasExited).toBe(false);
    },
    TEST_MS,
  );
});
