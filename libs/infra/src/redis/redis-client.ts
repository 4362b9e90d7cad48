import type { ConnectionOptions } from 'node:tls';
import { Cluster, Redis, type ClusterOptions, type RedisOptions } from 'ioredis';
import { redisUrl, type HostAndPort } from './connecting/redis-address.js';
import { BoundedCluster } from './connecting/bounded-cluster.js';
import { BoundedRedis, type Patience } from './connecting/bounded-redis.js';
import { watchAsking } from './connecting/cluster-asking.js';
import { watchFailures } from './connecting/redis-failure.js';
import { retryDelayMs } from './lasting-redis.js';
import { ServerConnector } from './connecting/server-connector.js';
import { sentinelConnector } from './connecting/sentinel-connector.js';
import { SentinelWatch, type SentinelOptions } from './connecting/sentinel-watch.js';

/** A connection to one Redis (or to the primary that Sentinels name), or to a Redis Cluster. */
export type RedisClient = Redis | Cluster;

/** Where Redis is, and its timeouts. Exactly one of `url`, `sentinels` and `clusterNodes` is given. */
export interface RedisConnectionOptions {
  /** `redis://` or, with TLS, `rediss://`; it may hold a user, a password and a database number. */
  readonly url?: string | undefined;
  /** The Sentinels to ask for the primary called `sentinelName`. */
  readonly sentinels?: readonly HostAndPort[] | undefined;
  readonly sentinelName?: string | undefined;
  /** Some nodes of a Redis Cluster; the others are found through them. */
  readonly clusterNodes?: readonly HostAndPort[] | undefined;
  /** For Sentinel and Cluster; a URL carries its own. */
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Whether Sentinel and Cluster connections use TLS. @default false */
  readonly tls?: boolean | undefined;
  /** PEM texts for every TLS connection, `rediss://` too. @default the authorities that Node knows, no certificate */
  readonly tlsCa?: string | undefined;
  readonly tlsCert?: string | undefined;
  readonly tlsKey?: string | undefined;
  /** For the connections to the Sentinels themselves. @default as `tls` says, no user, no password */
  readonly sentinelTls?: boolean | undefined;
  readonly sentinelUsername?: string | undefined;
  readonly sentinelPassword?: string | undefined;
  /** A command without an answer after this time is rejected. @default 200 */
  readonly commandTimeoutMs?: number | undefined;
  /** An attempt to connect is given up after this time. @default 2000 */
  readonly connectTimeoutMs?: number | undefined;
}

/** Whether this is a client of the ioredis that is used here: not of another copy, and nothing else. */
export function isRedisClient(value: unknown): value is RedisClient {
  return value instanceof Redis || value instanceof Cluster;
}

const KEEP_ALIVE_MS = 10_000;
const COMMAND_TIMEOUT_MS = 200;
const CONNECT_TIMEOUT_MS = 2_000;
/**
 * After a command was given up, its connection ends once it is silent for this many command timeouts, at least a
 * second.
 */
const SILENT_COMMANDS = 5;
const SILENCE_MS_MIN = 1_000;
/** Maximum redirections of a command: one to the owner of the slot, one while it moves, some for a failover between. */
const CLUSTER_REDIRECTIONS_MAX = 5;

const sentinels = new WeakMap<RedisClient, SentinelOptions>();

/** The Sentinels that name the primary of this client; undefined if it has none. */
export function sentinelsOf(client: RedisClient): SentinelOptions | undefined {
  if (client instanceof Cluster) return undefined;
  const { options } = client;
  if (sentinels.has(client) || !options.sentinels) return sentinels.get(client);
  // A client that `createRedisClient` did not make.
  return {
    sentinels: options.sentinels.map(({ host = '127.0.0.1', port = 26_379 }) => ({ host, port })),
    name: options.name ?? '',
    username: options.sentinelUsername ?? undefined,
    password: options.sentinelPassword ?? undefined,
    tls: options.sentinelTLS,
    timeoutMs: options.connectTimeout ?? CONNECT_TIMEOUT_MS,
  };
}

/** Whether any Redis is configured; otherwise the embedded store is used. */
export function isRedisConfigured(options: RedisConnectionOptions): boolean {
  return Boolean(options.url ?? options.sentinels ?? options.clusterNodes);
}

/**
 * A client for commands that fails fast. While Redis is away, a command is rejected at once and never queued; only the
 * client of a Cluster may send a command again. A command to a hanging Redis is given up after `commandTimeoutMs`, its
 * connection after some more silence (`SILENT_COMMANDS`). The client connects at the first `connect()` and reconnects
 * for as long as it lives; an outage never becomes an unhandled `error` event. Throws a `TypeError` if no place is
 * named, and for a URL that is not a Redis URL.
 */
export function createRedisClient(options: RedisConnectionOptions): RedisClient {
  const commandTimeoutMs = options.commandTimeoutMs ?? COMMAND_TIMEOUT_MS;
  const client = connect(
    options,
    {
      Connector: ServerConnector,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      connectTimeout: options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
      keepAlive: KEEP_ALIVE_MS,
      retryStrategy: retryDelayMs,
      lazyConnect: true,
    },
    { commandTimeoutMs, silenceMs: Math.max(SILENCE_MS_MIN, SILENT_COMMANDS * commandTimeoutMs) },
  );
  if (client instanceof Cluster) watchAsking(client);
  watchFailures(client, [options.password, passwordOf(options.url), options.sentinelPassword], options.clusterNodes);
  return client;
}

/** The command timeout of this client in milliseconds; the default if the client sets none. */
export function commandTimeoutOf(client: RedisClient): number {
  if (client instanceof BoundedRedis || client instanceof BoundedCluster) return client.patience.commandTimeoutMs;
  const options = client instanceof Cluster ? client.options.redisOptions : client.options;
  return options?.commandTimeout ?? COMMAND_TIMEOUT_MS;
}

function passwordOf(url: string | undefined): string | undefined {
  return url !== undefined && URL.canParse(url) ? decodeURIComponent(new URL(url).password) : undefined;
}

function connect(options: RedisConnectionOptions, connection: RedisOptions, patience: Patience): RedisClient {
  const tls = tlsOf(options);
  if (options.url) {
    // The value is left out: a wrong URL may hold a password anywhere.
    if (redisUrl.parse(options.url) === undefined)
      throw new TypeError(`The URL of Redis cannot be used: expected ${redisUrl.expected}`);
    const secure = options.url.startsWith('rediss:') ? { tls } : {};
    return new BoundedRedis(options.url, { ...connection, ...secure }, patience);
  }
  const shared: RedisOptions = {
    ...connection,
    ...(options.username ? { username: options.username } : {}),
    ...(options.password ? { password: options.password } : {}),
    ...(options.tls ? { tls } : {}),
  };
  if (options.sentinels && options.sentinelName) {
    const sentinelOptions: SentinelOptions = {
      sentinels: options.sentinels,
      name: options.sentinelName,
      username: options.sentinelUsername,
      password: options.sentinelPassword,
      tls: (options.sentinelTls ?? options.tls) ? tls : undefined,
      timeoutMs: connection.connectTimeout ?? CONNECT_TIMEOUT_MS,
    };
    const Connector = sentinelConnector(new SentinelWatch(sentinelOptions), shared.tls);
    // Duplicates share these options, and so the watch.
    const client = new BoundedRedis(undefined, { ...shared, Connector }, patience);
    sentinels.set(client, sentinelOptions);
    return client;
  }
  if (options.clusterNodes) {
    return new BoundedCluster(
      options.clusterNodes.map(({ host, port }) => ({ host, port })),
      clusterOptions(
        // ioredis creates the node connections, so its own silence timer applies.
        { ...shared, socketTimeout: patience.silenceMs },
        options.tls ?? false,
      ),
      { ...patience, connectTimeoutMs: shared.connectTimeout ?? CONNECT_TIMEOUT_MS },
    );
  }
  throw new TypeError('No Redis is configured: give url, or sentinels with sentinelName, or clusterNodes');
}

function tlsOf({ tlsCa: ca, tlsCert: cert, tlsKey: key }: RedisConnectionOptions): ConnectionOptions {
  return { ...(ca ? { ca } : {}), ...(cert && key ? { cert, key } : {}) };
}

function clusterOptions(shared: RedisOptions, tls: boolean): ClusterOptions {
  return {
    redisOptions: shared,
    lazyConnect: shared.lazyConnect ?? false,
    enableOfflineQueue: shared.enableOfflineQueue ?? false,
    clusterRetryStrategy: retryDelayMs,
    maxRedirections: CLUSTER_REDIRECTIONS_MAX,
    slotsRefreshTimeout: shared.connectTimeout ?? CONNECT_TIMEOUT_MS,
    // By default a reader waits 75 ms, less than ioredis waits before its first retry (100 ms). This allows several.
    retryDelayOnTryAgain: 10,
    // Certificates name hosts, not addresses, so with TLS names must not be resolved before connecting (ioredis README,
    // TLS).
    ...(tls ? { dnsLookup: (address, done) => done(null, address) } : {}),
  };
}
