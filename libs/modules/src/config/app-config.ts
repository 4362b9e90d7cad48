import type { ApplicationConfig } from '@bff/infra/config/application-config';
import type { LimitsConfig } from '@bff/infra/limits/limits-variables';
import type { OperatorConfig } from '@bff/infra/health/operators';
import type { RedisConfig } from '@bff/infra/redis/redis-variables';
import type { EncryptionKeyText } from './cache-variables.js';

/** The whole configuration of a process: checked, complete, grouped and deeply frozen. Only `loadConfig` makes it. */
export interface AppConfig {
  /** Every configured text that must not be read in logs. */
  readonly secrets: readonly string[];
  readonly app: ApplicationConfig;
  readonly http: HttpConfig;
  readonly sse: StreamConfig;
  readonly limits: LimitsConfig;
  readonly operator: OperatorConfig;
  readonly worker: { readonly port: number };
  readonly redis: RedisConfig;
  readonly cache: CacheConfig;
  readonly salesforce: SalesforceConfig;
  readonly events: EventsConfig;
  readonly orders: OrdersConfig;
  readonly whmcs: WhmcsConfig;
  readonly auth: AuthConfig;
  readonly sandbox: SandboxConfig;
}

/**
 * Where the HTTP server listens, and its limits. `host`, `shutdownDrainMs` and `shutdownGraceMs` also apply to the
 * worker and its health port.
 */
export interface HttpConfig {
  readonly host: string;
  readonly port: number;
  readonly bodyLimitBytes: number;
  /** For how long a process that ends is not ready and still serves. */
  readonly shutdownDrainMs: number;
  readonly shutdownGraceMs: number;
}

/** The settings of browsers' event streams. The limits are those of one process. */
export interface StreamConfig {
  readonly heartbeatMs: number;
  readonly retryMs: number;
  readonly streamsMax: number;
  readonly streamsPerAccountMax: number;
  readonly bufferMaxBytes: number;
}

/** The settings of the cache, without those of its connection to Redis. */
export interface CacheConfig {
  readonly partitions: number;
  readonly l1: 'off' | 'bounded' | 'strict';
  /** What happens while too few of the Sentinels, or of the Cluster's masters, confirm the primary. */
  readonly onSplit: 'refuse' | 'serve';
  /** Maximum age of change-driven entries, whether or not somebody follows the events; 0: no such bound. */
  readonly safetyTtlSeconds: number;
  /** The maximum age of a change-driven entry while nobody follows the events that announce its changes. */
  readonly feedLostMaxAgeSeconds: number;
  readonly retentionDays: number;
  /** Maximum number of bytes in the embedded store; then it evicts what was used least recently. */
  readonly memoryMaxBytes: number;
  /**
   * The first key encrypts, all decrypt. Empty only when the store is embedded and no key is set: values then never
   * leave the process.
   */
  readonly encryptionKeys: readonly EncryptionKeyText[];
  /**
   * The published demo key is in use because no key is set. It protects nothing, and the BFF and the worker log that at
   * their start.
   */
  readonly usesDemoEncryptionKey: boolean;
  readonly leaseMs: number;
  readonly waitMs: number;
  readonly bypassConcurrency: number;
}

/**
 * `clientId` with `clientSecret` (client-credentials grant), or with `username` and `privateKey` (JWT bearer grant).
 */
export interface SalesforceConfig {
  readonly loginUrl: string;
  /** The audience of a JWT; undefined: derived from the login URL. */
  readonly jwtAudience: string | undefined;
  /** No login URL was set, so `loginUrl` is that of the local sandbox. */
  readonly isSandbox: boolean;
  readonly clientId: string;
  readonly clientSecret: string | undefined;
  readonly username: string | undefined;
  /** PEM text. */
  readonly privateKey: string | undefined;
  readonly apiVersion: string;
  readonly requestTimeoutMs: number;
  readonly concurrency: number;
  readonly queueMax: number;
  readonly accountQueueMax: number;
  readonly accountSharePercent: number;
  readonly quotaReservePercent: number;
  readonly eventTransport: 'pubsub' | 'cometd';
  /** Undefined: the default of the transport. */
  readonly streamWatchdogSeconds: number | undefined;
  /** Time within which a change that no event announced is found; 0: never. */
  readonly reconcileSeconds: number;
  /** Undefined: Salesforce's own. `http://` means no TLS, and is allowed on this machine only. */
  readonly pubsubEndpoint: string | undefined;
}

/** Whether change events are subscribed to, and on which channels. */
export interface EventsConfig {
  readonly enabled: boolean;
  readonly orderChannel: string;
  readonly orderItemChannel: string;
  readonly productChannel: string;
  readonly pricebookEntryChannel: string;
  readonly accountChannel: string;
  readonly accountEventChannel: string;
}

/** The limits of orders, and how the org tells a repeated one. */
export interface OrdersConfig {
  /** In the org's currency. */
  readonly totalMax: number;
  /** The unique field of Order for the portal's request; undefined: there is none. */
  readonly requestIdField: string | undefined;
}

/** The WHMCS API; the local sandbox's unless a URL is set. */
export interface WhmcsConfig {
  readonly apiUrl: string;
  readonly identifier: string;
  readonly secret: string;
  readonly requestTimeoutMs: number;
  readonly concurrency: number;
  readonly queueMax: number;
  readonly accountQueueMax: number;
  readonly accountSharePercent: number;
  /** Without a secret no webhook is accepted. */
  readonly webhook: { readonly secret: string | undefined; readonly toleranceSeconds: number };
}

/** The issuer whose tokens are accepted; the local sandbox unless an issuer is set. */
export interface AuthConfig {
  readonly issuer: string;
  readonly audience: string;
  readonly jwksUrl: string;
  /** Which of the issuer's tokens count as access tokens. */
  readonly accessTokens: { readonly types: readonly ('at+jwt' | 'JWT')[]; readonly lifetimeMaxSeconds: number };
  /** While new keys cannot be fetched, good ones are used this long beyond the time when they were due to be replaced. */
  readonly jwksGraceSeconds: number;
  /**
   * 32 bytes in base64. With made-up data it is the published demo key unless one is set, so that a repeated order is
   * recognised after a restart.
   */
  readonly pseudonymKey: string;
}

/** Where the local sandbox is. The sandbox process reads its own options from the same variables. */
export interface SandboxConfig {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly grpcPort: number;
  readonly latencyMs: number;
  readonly data: string | undefined;
}
