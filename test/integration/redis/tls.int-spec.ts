import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { RawEnvironment } from '@bff/infra/config/read-environment';
import { loadConfig } from '@bff/modules/config/load-config';
import { createRedisClient } from '@bff/infra/redis/redis-client';
import { lastFailure } from '@bff/infra/redis/connecting/redis-failure';
import { connectRedis, quitRedis } from '@bff/infra/redis/connecting/redis-lifetime';
import { makeCertificates, type Certificates } from '../../support/redis/certificates.js';
import { eventually } from '../../support/eventually.js';
import { redisCommand } from '../../support/redis/redis-command.js';
import { ConnectionsOfAProcess } from '../../support/redis/redis-connections.js';
import { startRedisServer, type RedisServer } from '../../support/redis/redis-server.js';
import { freePort } from '../../support/free-port.js';

const START_MS = 60_000;
const SENTINEL_PASSWORD = 'sentinel-secret';

describe('Redis over TLS, with a certificate of the client', () => {
  let certificates: Certificates;
  const servers: RedisServer[] = [];
  const opened: ConnectionsOfAProcess[] = [];
  let environment: RawEnvironment;

  beforeAll(() => {
    certificates = makeCertificates();
    const { ca, client } = certificates;
    environment = { REDIS_TLS_CA: ca, REDIS_TLS_CERT: client.cert, REDIS_TLS_KEY: client.key };
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((process) => process.close()));
    await Promise.all(servers.splice(0).map((server) => server.stop()));
  });
  afterAll(() => certificates.remove());

  /** Settings for a server that speaks TLS on this port and on its own connections; clients must show a certificate. */
  function tlsSettings(port: number): string[] {
    const { ca, server } = certificates;
    const files = ['--tls-ca-cert-file', ca, '--tls-cert-file', server.cert, '--tls-key-file', server.key];
    return ['--tls-port', String(port), ...files, '--tls-auth-clients', 'yes', '--tls-replication', 'yes'];
  }

  async function startTlsServer(mode: 'alone' | 'cluster-node' = 'alone'): Promise<number> {
    const port = await freePort();
    // The only node of a Cluster cannot learn its address from others.
    const announced = mode === 'cluster-node' ? ['--tls-cluster', 'yes', '--cluster-announce-ip', '127.0.0.1'] : [];
    servers.push(await startRedisServer({ args: [...tlsSettings(port), ...announced], mode }));
    return port;
  }

  /** Fails unless all connections between two processes with this configuration work. */
  async function works(given: RawEnvironment): Promise<void> {
    const { redis } = loadConfig(given);
    for (let i = 0; i < 2; i += 1) opened.push(new ConnectionsOfAProcess(redis, 'tls'));
    const [one, other] = opened.slice(-2) as [ConnectionsOfAProcess, ConnectionsOfAProcess];
    await Promise.all([one.open(), other.open()]);
    let sick: string[] = [];
    const isHealthy = async () => (sick = await one.sick(other)).length === 0;
    await eventually(isHealthy, { withinMs: 10_000 }).catch(() => undefined);
    expect(sick.concat(lastFailure(one.redis) ?? [])).toEqual([]);
  }

  it(
    '[T8] reaches one server',
    async () => {
      const port = await startTlsServer();
      await works({ REDIS_URL: `rediss://127.0.0.1:${port}`, ...environment });
    },
    START_MS,
  );

  it(
    '[T8] reaches Sentinels with a user of their own, and the primary that they name',
    async () => {
      const master = await startTlsServer();
      const port = await freePort();
      const rights =
        '+sentinel|get-master-addr-by-name +sentinel|master +sentinel|myid +sentinel|sentinels +subscribe &+switch-master';
      const user = `user evergreen on >${SENTINEL_PASSWORD} resetchannels ${rights}`; // as docs/operating/redis-acl.md says
      const config = ['requirepass other', user, `sentinel monitor main 127.0.0.1 ${master} 1`];
      servers.push(await startRedisServer({ mode: 'sentinel', config, args: tlsSettings(port) }));
      await works({
        REDIS_SENTINELS: `127.0.0.1:${port}`,
        REDIS_SENTINEL_NAME: 'main',
        REDIS_SENTINEL_USERNAME: 'evergreen',
        REDIS_SENTINEL_PASSWORD: SENTINEL_PASSWORD,
        REDIS_TLS: 'true',
        ...environment,
      });
    },
    START_MS,
  );

  it(
    '[T8] reaches a primary over TLS that Sentinels without it name',
    async () => {
      const master = await startTlsServer();
      const port = await freePort();
      const config = [`sentinel monitor main 127.0.0.1 ${master} 1`];
      const sentinel = await startRedisServer({ mode: 'sentinel', config, args: tlsSettings(port) });
      servers.push(sentinel);
      await works({
        REDIS_SENTINELS: `127.0.0.1:${sentinel.port}`,
        REDIS_SENTINEL_NAME: 'main',
        REDIS_SENTINEL_TLS: 'false',
        REDIS_TLS: 'true',
        ...environment,
      });
    },
    START_MS,
  );

  it(
    '[T8] reaches a Cluster',
    async () => {
      const port = await startTlsServer('cluster-node');
      await redisCommand(servers[0]!.port, 'CLUSTER', 'ADDSLOTSRANGE', 0, 16_383);
      await works({ REDIS_CLUSTER_NODES: `127.0.0.1:${port}`, REDIS_TLS: 'true', ...environment });
      // The connection by which ioredis itself would subscribe listens to one error alone (`openStream` says why).
      expect(String(await redisCommand(servers[0]!.port, 'CLIENT', 'LIST'))).not.toContain(
        'ioredis-cluster(subscriber)',
      );
    },
    START_MS,
  );

  it(
    'says why it does not connect: an authority that nobody vouches for, and no certificate of its own',
    async () => {
      const port = await startTlsServer();
      const reason = async (tls: { tlsCa?: string }) => {
        const client = createRedisClient({ url: `rediss://127.0.0.1:${port}`, ...tls });
        expect(await connectRedis(client, 1_000)).toBe(false);
        await quitRedis(client, 100);
        return lastFailure(client);
      };
      expect(await reason({})).toMatch(/self.signed certificate|unable to (verify|get)/i);
      expect(await reason({ tlsCa: readFileSync(certificates.ca, 'utf8') })).toMatch(
        /certificate required|alert|ECONNRESET/i,
      );
    },
    START_MS,
  );

  it(
    'survives connections that it ends during their handshake, which fail twice',
    async () => {
      const port = await startTlsServer();
      const uncaught: Error[] = []; // Jest fails the test as well: it listens to the process
      const note = (error: Error) => void uncaught.push(error);
      process.prependListener('uncaughtException', note);
      try {
        for (let round = 0; round < 40; round += 1) {
          const clients = Array.from({ length: 10 }, () => createRedisClient({ url: `rediss://127.0.0.1:${port}` }));
          await Promise.all(
            clients.map(async (client, i) => {
              await connectRedis(client, i + 1); // the handshake takes some milliseconds
              await quitRedis(client, 100);
            }),
          );
        }
        expect(uncaught).toEqual([]);
      } finally {
        process.off('uncaughtException', note);
      }
    },
    START_MS,
  );

  it(
    '[N10] says what the server speaks, where one side speaks TLS and the other does not',
    async () => {
      const tlsPort = await startTlsServer();
      const plainPort = servers[0]!.port;
      const noTls = (port: number) => new RegExp(`127\\.0\\.0\\.1:${port} speaks no TLS: write redis:// instead`);
      const wantsTls = (port: number) => new RegExp(`127\\.0\\.0\\.1:${port} speaks TLS, and this connection does not`);
      const cases: [RawEnvironment, RegExp][] = [
        [{ REDIS_URL: `rediss://127.0.0.1:${plainPort}` }, noTls(plainPort)],
        [{ REDIS_URL: `redis://127.0.0.1:${tlsPort}` }, wantsTls(tlsPort)],
        [{ REDIS_CLUSTER_NODES: `127.0.0.1:${plainPort}`, REDIS_TLS: 'true' }, noTls(plainPort)],
        [{ REDIS_CLUSTER_NODES: `127.0.0.1:${tlsPort}` }, wantsTls(tlsPort)],
        [
          { REDIS_SENTINELS: `127.0.0.1:${plainPort}`, REDIS_SENTINEL_NAME: 'main', REDIS_TLS: 'true' },
          noTls(plainPort),
        ],
        [{ REDIS_SENTINELS: `127.0.0.1:${tlsPort}`, REDIS_SENTINEL_NAME: 'main' }, wantsTls(tlsPort)],
      ];
      for (const [given, expected] of cases) {
        const client = createRedisClient({ ...loadConfig(given).redis, connectTimeoutMs: 500 });
        try {
          expect(await connectRedis(client, 100)).toBe(false);
          const reason = () => lastFailure(client) ?? '';
          await eventually(() => expected.test(reason()), { withinMs: 10_000 }).catch(() => undefined);
          expect([given, reason()]).toEqual([given, expect.stringMatching(expected)]);
        } finally {
          await quitRedis(client, 100);
        }
      }
    },
    START_MS,
  );

  it(
    '[T8] is served by NODE_EXTRA_CA_CERTS where the server wants no certificate',
    async () => {
      const port = await freePort();
      servers.push(await startRedisServer({ args: [...tlsSettings(port), '--tls-auth-clients', 'no'] }));
      const program = `
      import { Redis } from 'ioredis';
      const redis = new Redis('rediss://127.0.0.1:${port}', { retryStrategy: null });
      redis.on('error', () => undefined);
      console.log(await redis.ping().catch((error) => error.message));
      redis.disconnect();`;
      const answer = (env: NodeJS.ProcessEnv) =>
        String(
          execFileSync(process.execPath, ['--input-type=module', '-e', program], { env: { PATH: '', ...env } }),
        ).trim();
      expect(answer({ NODE_EXTRA_CA_CERTS: certificates.ca })).toBe('PONG');
      expect(answer({})).not.toBe('PONG');
    },
    START_MS,
  );
});
