import { AppProcess } from './app-process.js';
import { freePort } from '../../support/free-port.js';
import { WIDE_LIMITS } from '../../support/wide-limits.js';
import { startRedisServer, type RedisServer } from '../../support/redis/redis-server.js';

/** How long a query of the sandbox takes: long enough to distinguish a miss from a hit. */
export const LATENCY_MS = 150;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
  readonly ms: number;
}

/** A whole portal as processes: sandbox, one or more BFFs, and with Redis one or more workers. */
export class Portal {
  redis: RedisServer | undefined;
  sandbox!: AppProcess;
  bffs: AppProcess[] = [];
  /** The newest worker; earlier ones may still run. */
  worker: AppProcess | undefined;
  workers: AppProcess[] = [];
  sandboxUrl = '';
  bffUrls: string[] = [];
  private env: Record<string, string> = { ...WIDE_LIMITS };

  /** Starts a sandbox and one BFF, which has the embedded store and consumes the change events itself. */
  static async embedded(): Promise<Portal> {
    const portal = new Portal();
    await portal.startSandbox();
    await portal.startBff();
    return portal;
  }

  /** Starts a Redis, a sandbox, a worker and two BFFs. */
  static async onRedis(env: Readonly<Record<string, string>> = {}): Promise<Portal> {
    const redis = await startRedisServer();
    const portal = await Portal.with({ REDIS_URL: redis.url, ...env });
    portal.redis = redis;
    return portal;
  }

  /** Starts a sandbox, a worker and two BFFs on the Redis that the environment names. The caller owns that Redis. */
  static async with(env: Readonly<Record<string, string>>): Promise<Portal> {
    const portal = new Portal();
    portal.env = { ...portal.env, ...env };
    await portal.startSandbox();
    await Promise.all([portal.startBff(), portal.startBff(), portal.startWorker()]);
    return portal;
  }

  /** The variables of its processes, without those that only one of them has. */
  get environment(): Readonly<Record<string, string>> {
    return this.env;
  }

  async startWorker(): Promise<void> {
    const port = await freePort();
    this.worker = AppProcess.start('cdc-worker', { ...this.env, WORKER_PORT: String(port) });
    this.workers.push(this.worker);
    await this.worker.isReadyAt(`http://127.0.0.1:${port}/health/ready`);
  }

  async stop(): Promise<void> {
    const apps = [...this.bffs, ...this.workers, this.sandbox].filter((app) => app !== undefined);
    await Promise.all(apps.map((app) => app.stop()));
    await this.redis?.stop();
  }

  /** A customer's request to one of the BFFs. */
  async get(path: string, { customer = 1, bff = 0 }: { customer?: number; bff?: number } = {}): Promise<Answer> {
    return this.request(path, { headers: { authorization: `Bearer ${await this.token(customer)}` } }, bff);
  }

  async request(path: string, init: RequestInit = {}, bff = 0): Promise<Answer> {
    const begin = performance.now();
    const response = await fetch(`${this.bffUrls[bff]}${path}`, init);
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : text,
      ms: performance.now() - begin,
    };
  }

  async token(customer: number): Promise<string> {
    return (await fetch(`${this.sandboxUrl}/demo/token/${customer}`)).text();
  }

  /** Changes or deletes a record in Salesforce by its REST API. */
  async change(sobject: string, id: string, fields: object | 'delete'): Promise<void> {
    await this.salesforce('PATCH', `/sobjects/${sobject}/${id}`, fields);
  }

  /** Changes the behaviour of the sandbox from now on (docs/operating/sandbox.md). */
  async fault(fault: object): Promise<void> {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${this.sandboxUrl}/sandbox/faults`, {
      method: 'POST',
      headers,
      body: JSON.stringify(fault),
    });
    if (!response.ok) throw new Error(`the sandbox answered ${response.status}: ${await response.text()}`);
  }

  async salesforce(method: string, path: string, body?: object | 'delete'): Promise<unknown> {
    const token = await (await fetch(`${this.sandboxUrl}/demo/salesforce-token`)).text();
    const response = await fetch(`${this.sandboxUrl}/services/data/v67.0${path}`, {
      method: body === 'delete' ? 'DELETE' : method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(typeof body === 'object' && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`Salesforce answered ${response.status}: ${text}`);
    return text ? JSON.parse(text) : undefined;
  }

  /** How many queries Salesforce has answered. */
  async queries(): Promise<number> {
    const stats = await (await fetch(`${this.sandboxUrl}/sandbox/stats`)).json();
    return (stats as { salesforce: { queries: number } }).salesforce.queries;
  }

  private async startSandbox(): Promise<void> {
    const port = await freePort();
    this.sandboxUrl = `http://127.0.0.1:${port}`;
    const ports = { SANDBOX_PORT: String(port), SANDBOX_GRPC_PORT: String(await freePort()) };
    this.env = { ...this.env, ...ports, SANDBOX_LATENCY_MS: String(LATENCY_MS) };
    this.sandbox = AppProcess.start('sandbox', this.env);
    await this.sandbox.isReadyAt(`${this.sandboxUrl}/health`);
  }

  /** Restarts a BFF that has ended, at the same address. */
  async restartBff(index: number): Promise<void> {
    const url = this.bffUrls[index] as string;
    const bff = AppProcess.start('bff', { ...this.env, PORT: new URL(url).port });
    this.bffs[index] = bff;
    await bff.isReadyAt(`${url}/health/ready`);
  }

  private async startBff(): Promise<void> {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const bff = AppProcess.start('bff', { ...this.env, PORT: String(port) });
    this.bffs.push(bff);
    this.bffUrls.push(url);
    await bff.isReadyAt(`${url}/health/ready`);
  }
}
