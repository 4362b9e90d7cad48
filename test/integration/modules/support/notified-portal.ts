import { CacheService } from '@bff/infra/cache/cache.service';
import { NoticeBoard } from '@bff/infra/notices/notice-board';
import type { RawEnvironment } from '@bff/infra/config/read-environment';
import { loadConfig } from '@bff/modules/config/load-config';
import { ChangeEventSource } from '@bff/integrations/salesforce/events/change-event-source';
import { SalesforceClient } from '@bff/integrations/salesforce/salesforce.client';
import { WhmcsClient } from '@bff/integrations/whmcs/whmcs.client';
import type { INestApplicationContext, ModuleMetadata } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { AppModule } from '../../../../apps/bff/src/app.module.js';
import { configureApp, createAdapter } from '../../../../apps/bff/src/create-app.js';
import { WorkerModule } from '../../../../apps/cdc-worker/src/worker.module.js';
import { elapse, eventually } from '../../../support/eventually.js';
import { EventReader } from '../../../support/event-reader.js';
import { startRedisServer, type RedisServer } from '../../../support/redis/redis-server.js';
import { WIDE_LIMITS } from '../../../support/wide-limits.js';
import { RecordedBilling } from './recorded-billing.js';
import { RecordedOrg } from './recorded-org.js';
import { ScriptedEventSource } from './scripted-event-source.js';
import { AUDIENCE, TokenIssuer } from './token-issuer.js';

/** A BFF that listens on a port. */
export interface ListeningBff {
  readonly app: NestFastifyApplication;
  readonly url: string;
}

/**
 * One or more BFFs over real HTTP, on the embedded store or on Redis with a worker, with sources that the test
 * controls.
 */
export class NotifiedPortal {
  readonly org = new RecordedOrg();
  readonly billing = new RecordedBilling();
  readonly events = new ScriptedEventSource();
  readonly bffs: ListeningBff[] = [];
  redis: RedisServer | undefined;
  private worker: INestApplicationContext | undefined;
  private readonly readers: EventReader[] = [];

  private constructor(
    readonly issuer: TokenIssuer,
    private readonly env: RawEnvironment,
  ) {}

  static async embedded(env: RawEnvironment = {}): Promise<NotifiedPortal> {
    const portal = new NotifiedPortal(await TokenIssuer.start(), env);
    await portal.startBff();
    await portal.events.ready;
    return portal;
  }

  static async onRedis(env: RawEnvironment = {}): Promise<NotifiedPortal> {
    const redis = await startRedisServer();
    const patient = { REDIS_URL: redis.url, REDIS_COMMAND_TIMEOUT_MS: '5000', ...env };
    const portal = new NotifiedPortal(await TokenIssuer.start(), patient);
    portal.redis = redis;
    for (const _ of [1, 2]) await portal.startBff();
    portal.worker = await portal.compose(WorkerModule.forConfig(portal.config)).compile();
    await portal.worker.init();
    await portal.events.ready;
    await portal.settled(); // the stream starts with a gap of every topic, which causes notices
    return portal;
  }

  get last(): number {
    return this.bffs.length - 1;
  }

  async startBff(): Promise<void> {
    const module = await this.compose(AppModule.forConfig(this.config)).compile();
    const app = module.createNestApplication<NestFastifyApplication>(createAdapter(this.config), { logger: false });
    await configureApp(app);
    await app.listen(0, '127.0.0.1');
    this.bffs.push({ app, url: await app.getUrl() });
  }

  /** From now on the process that consumes events waits this long before each invalidation. */
  delayInvalidations(ms: number): void {
    const cache = (this.worker ?? (this.bffs[0] as ListeningBff).app).get(CacheService);
    const invalidate = cache.invalidate.bind(cache);
    cache.invalidate = async (...dependencies) => {
      await elapse(ms);
      return invalidate(...dependencies);
    };
  }

  /** Sends a customer's request; returns the body of the answer. */
  async get(user: string, path: string, bff = 0): Promise<any> {
    const response = await fetch(`${this.bffs[bff]?.url}${path}`, { headers: await this.bearer(user) });
    if (response.status !== 200) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
    return response.json();
  }

  /** The statuses of the user's orders. */
  async statuses(user: string, bff = 0): Promise<string[]> {
    return ((await this.get(user, '/api/orders', bff)) as { status: string }[]).map(({ status }) => status);
  }

  /** Opens a stream of notices. Resolves when its first event has arrived. */
  async listen(user: string, bff = 0, headers: Record<string, string> = {}): Promise<EventReader> {
    const reader = await this.connect(bff, { ...(await this.bearer(user)), ...headers });
    if (reader.response.statusCode !== 200) throw new Error(`the stream answered ${reader.response.statusCode}`);
    await eventually(() => reader.events.length > 0, { what: 'the first event of a stream' });
    return reader;
  }

  /** Requests a stream of notices; returns any answer, also a refusal. */
  async connect(bff: number, headers: Record<string, string>): Promise<EventReader> {
    const reader = await EventReader.open(`${this.bffs[bff]?.url}/api/events`, headers);
    this.readers.push(reader);
    return reader;
  }

  /** Resolves when every BFF has read all notices that were posted before this call. */
  async settled(): Promise<void> {
    const boards = this.bffs.map(({ app }) => app.get(NoticeBoard));
    const before = boards[0]?.position();
    await boards[0]?.publish([{ name: 'nothing', audience: 'nobody' }]);
    await eventually(() => {
      const positions = new Set(boards.map((board) => board.position()));
      return positions.size === 1 && !positions.has(before);
    });
  }

  async bearer(user: string, expiresAt?: number): Promise<Record<string, string>> {
    return { authorization: `Bearer ${await this.issuer.token(user, expiresAt === undefined ? {} : { expiresAt })}` };
  }

  async close(): Promise<void> {
    this.readers.forEach((reader) => reader.close());
    await this.worker?.close();
    for (const { app } of this.bffs) await app.close();
    await this.issuer.stop();
    await this.redis?.stop();
  }

  private get config() {
    return loadConfig({
      NODE_ENV: 'test',
      LOG_LEVEL: 'silent',
      AUTH_ISSUER: this.issuer.url,
      AUTH_AUDIENCE: AUDIENCE,
      SF_RECONCILE_SECONDS: '0', // no reconciler: the org cannot answer it, and would count its queries
      ...WIDE_LIMITS,
      ...this.env,
    });
  }

  private compose(module: NonNullable<ModuleMetadata['imports']>[number]) {
    return Test.createTestingModule({ imports: [module] })
      .overrideProvider(SalesforceClient)
      .useValue(this.org)
      .overrideProvider(WhmcsClient)
      .useValue(this.billing)
      .overrideProvider(ChangeEventSource)
      .useValue(this.events)
      .setLogger(SILENT);
  }
}

const nothing = (): void => undefined;
const SILENT = { log: nothing, warn: nothing, error: nothing };
