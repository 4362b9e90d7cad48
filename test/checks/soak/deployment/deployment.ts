import { withinMs } from '../../within-ms.js';
import { Watchdog } from '../../consistency/watchdog.js';
import { type AppName } from '../../../e2e/support/app-process.js';
import { freePort } from '../../../support/free-port.js';
import { eventually } from '../../../support/eventually.js';
import { startRedisServer, type RedisServer } from '../../../support/redis/redis-server.js';
import { WIDE_LIMITS } from '../../../support/wide-limits.js';
import { leaseHolder } from './consumer-lease.js';
import { DeployedProcess } from './deployed-process.js';
import { eventsState, type EventsState } from './events-health.js';
import { HttpClient } from './http-client.js';
import { SandboxClient } from './sandbox-client.js';

export type Transport = 'pubsub' | 'cometd';

export interface DeploymentOptions {
  readonly transport: Transport;
  readonly bffs: number;
  readonly workers: number;
  /** How long the sandbox takes to answer a query. A longer time lets more changes overtake a fetch. */
  readonly latencyMs: number;
  /** The reconciler's period; 0: it is off. */
  readonly reconcileSeconds: number;
  /** Settings of the workers alone, to plant a fault. */
  readonly workerEnv?: Readonly<Record<string, string>>;
}

export const APP_NAME = 'soak';
/** The customers whose tokens the sandbox provides. */
export const CUSTOMERS = [1, 2, 3] as const;
export type Customer = (typeof CUSTOMERS)[number];

const CLOSE_MS = 10_000;
const LIMITS_MAX = '100000000';

/** A place for a process at a fixed address; the successor of a killed process takes the same place. */
export interface Slot {
  readonly app: AppName;
  readonly http: HttpClient;
  process: DeployedProcess;
}

/** The whole product as processes: a sandbox, a Redis, BFFs and workers. */
export class Deployment {
  readonly bffs: Slot[] = [];
  readonly workers: Slot[] = [];
  readonly unexpectedEnds: string[] = [];
  readonly tokens = new Map<Customer, string>();
  redis!: RedisServer;
  org!: SandboxClient;
  private sandbox!: Slot;
  private readonly watchdog = new Watchdog();
  private readonly env: Record<string, string>;

  private constructor(private options: DeploymentOptions) {
    this.env = {
      APP_NAME,
      ...WIDE_LIMITS,
      NODE_ENV: 'production',
      ALLOW_DEMO: 'true',
      OPERATOR_ADDRESSES: '127.0.0.1',
      SHUTDOWN_DRAIN_MS: '0', // nobody routes requests by its readiness
      LOG_LEVEL: 'warn',
      SF_EVENTS_TRANSPORT: options.transport,
      SANDBOX_LATENCY_MS: String(options.latencyMs),
      SANDBOX_DAILY_API_REQUESTS: LIMITS_MAX,
      SANDBOX_DAILY_EVENT_DELIVERIES: LIMITS_MAX,
      SANDBOX_KEEPALIVE_MS: '5000',
      SANDBOX_CONNECT_TIMEOUT_MS: '5000',
    };
  }

  /**
   * Resolves when everything is ready and change events are live. With planted worker settings it does not wait for the
   * events.
   */
  static async start(options: DeploymentOptions): Promise<Deployment> {
    const deployment = new Deployment(options);
    try {
      await deployment.startAll();
      return deployment;
    } catch (error) {
      await deployment.close();
      throw error;
    }
  }

  get transport(): Transport {
    return this.options.transport;
  }

  get latencyMs(): number {
    return this.options.latencyMs;
  }

  /** Starts a process in the place of one that has ended, and resolves when it is ready. */
  async restart(slot: Slot): Promise<void> {
    slot.process = this.processOf(slot.app, slot.http);
    await this.isReady(slot);
  }

  /** Ends the process by the signal and starts its successor. */
  async replace(slot: Slot, signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
    await slot.process.end(signal);
    await this.restart(slot);
  }

  /**
   * Ends each worker by SIGTERM, as a deployment does, and starts its successor with another period of the reconciler.
   */
  async replaceWorkers(reconcileSeconds: number): Promise<void> {
    this.options = { ...this.options, reconcileSeconds };
    for (const slot of this.workers) await this.replace(slot, 'SIGTERM');
  }

  /** The state of change events as the first worker that answers reports it; undefined if none answers. */
  async events(): Promise<EventsState | undefined> {
    for (const { http, process } of this.workers) {
      const state = process.isStopped ? undefined : await eventsState(http);
      if (state) return state;
    }
    return undefined;
  }

  /**
   * Resolves when change events are up and a worker holds the consumer lease. Rejects after `withinMs`, with the last
   * reported state.
   */
  async isUp(withinMs: number): Promise<void> {
    let last: EventsState | undefined;
    const isUp = async () => {
      last = await this.events();
      return last?.status === 'up' && (await this.activeWorker()) !== undefined;
    };
    await eventually(isUp, { withinMs, what: 'the stream up' }).catch(() => {
      const said = last ? `${last.status}: ${last.reason ?? ''} (${last.topics.join(', ')})` : 'no worker answers';
      throw new Error(`change events are not up ${withinMs / 1000} s after everything was healed: ${said}`);
    });
  }

  /** The worker that consumes; undefined while none does, or Redis does not answer. */
  async activeWorker(): Promise<Slot | undefined> {
    const holder = await leaseHolder(this.redis.url, APP_NAME);
    return this.workers.find(({ process }) => holder?.includes(`:${process.pid}:`));
  }

  /** Resumes all stopped processes. */
  resumeAll(): void {
    for (const { process } of [...this.bffs, ...this.workers]) if (process.isStopped) process.resume();
  }

  async close(): Promise<void> {
    const slots = [...this.bffs, ...this.workers, ...(this.sandbox ? [this.sandbox] : [])];
    await Promise.all(slots.map(({ process }) => process.end()));
    for (const { http } of slots) http.close();
    this.org?.close();
    // The deadline also keeps this process alive with its timer; the child process of the server does not.
    if (this.redis) await withinMs(CLOSE_MS, this.redis.stop(), 'a redis-server did not end');
    this.watchdog.close();
  }

  private async startAll(): Promise<void> {
    this.redis = await startRedisServer();
    const grpcPort = await freePort();
    const http = await newAddress();
    Object.assign(this.env, {
      REDIS_URL: this.redis.url,
      SANDBOX_PORT: portOf(http),
      SANDBOX_GRPC_PORT: String(grpcPort),
    });
    this.sandbox = { app: 'sandbox', http, process: this.processOf('sandbox', http) };
    await this.isReady(this.sandbox);
    this.org = new SandboxClient(http.origin);
    for (const customer of CUSTOMERS) this.tokens.set(customer, await this.org.customerToken(customer));
    for (let i = 0; i < this.options.bffs; i++) this.bffs.push(await this.newSlot('bff'));
    for (let i = 0; i < this.options.workers; i++) this.workers.push(await this.newSlot('cdc-worker'));
    await Promise.all([...this.bffs, ...this.workers].map((slot) => this.isReady(slot)));
    if (this.options.workerEnv === undefined) await this.isUp(60_000);
  }

  private async newSlot(app: AppName): Promise<Slot> {
    const http = await newAddress();
    return { app, http, process: this.processOf(app, http) };
  }

  private processOf(app: AppName, http: HttpClient): DeployedProcess {
    const { reconcileSeconds, workerEnv } = this.options;
    const own = {
      bff: { PORT: portOf(http) },
      'cdc-worker': { WORKER_PORT: portOf(http), SF_RECONCILE_SECONDS: String(reconcileSeconds), ...workerEnv },
      sandbox: {},
    }[app];
    const started = new DeployedProcess(app, { ...this.env, ...own }, this.watchdog);
    void started.gone.then(() => {
      if (started.unexpectedEnd !== undefined) this.unexpectedEnds.push(started.unexpectedEnd);
    });
    return started;
  }

  private isReady({ app, process, http }: Slot): Promise<void> {
    return process.isReady(http, app === 'sandbox' ? '/health' : '/health/ready');
  }
}

async function newAddress(): Promise<HttpClient> {
  return new HttpClient(`http://127.0.0.1:${await freePort()}`);
}

function portOf({ origin }: HttpClient): string {
  return new URL(origin).port;
}
