import type { DomainMetrics } from '@bff/infra/cache/cache.types';
import type { RawEnvironment } from '@bff/infra/config/read-environment';
import { ChangeSubscriber, type Subscription } from '@bff/modules/change-events/change-subscriber';
import { loadConfig } from '@bff/modules/config/load-config';
import { ChangeEventSource } from '@bff/integrations/salesforce/events/change-event-source';
import { SalesforceClient } from '@bff/integrations/salesforce/salesforce.client';
import { WhmcsClient } from '@bff/integrations/whmcs/whmcs.client';
import { DiscoveryService } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { RequestLines } from '@bff/infra/logging/request-lines';
import { logOptions } from '@bff/modules/runtime/log-options';
import { Logger, PARAMS_PROVIDER_TOKEN } from 'nestjs-pino';
import type { DestinationStream } from 'pino';
import { AppModule } from '../../../../apps/bff/src/app.module.js';
import { configureApp, createAdapter } from '../../../../apps/bff/src/create-app.js';
import { WIDE_LIMITS } from '../../../support/wide-limits.js';
import { RecordedBilling } from './recorded-billing.js';
import { RecordedOrg } from './recorded-org.js';
import { ScriptedEventSource } from './scripted-event-source.js';
import { AUDIENCE, TokenIssuer } from './token-issuer.js';

/** The real BFF on the embedded store, with sources that the test controls. */
export class Portal {
  private constructor(
    readonly app: NestFastifyApplication,
    readonly issuer: TokenIssuer,
    readonly org: RecordedOrg,
    readonly billing: RecordedBilling,
    readonly events: ScriptedEventSource,
  ) {}

  static async open(env: RawEnvironment = {}, log?: DestinationStream): Promise<Portal> {
    const issuer = await TokenIssuer.start();
    const config = loadConfig({
      NODE_ENV: 'test',
      LOG_LEVEL: 'silent',
      AUTH_ISSUER: issuer.url,
      AUTH_AUDIENCE: AUDIENCE,
      SF_RECONCILE_SECONDS: '0', // no reconciler: the org cannot answer it, and would count its queries
      ...WIDE_LIMITS,
      ...env,
    });
    const [org, billing, events] = [new RecordedOrg(), new RecordedBilling(), new ScriptedEventSource()];
    const module = await Test.createTestingModule({ imports: [AppModule.forConfig(config)] })
      .overrideProvider(SalesforceClient)
      .useValue(org)
      .overrideProvider(WhmcsClient)
      .useValue(billing)
      .overrideProvider(ChangeEventSource)
      .useValue(events)
      .overrideProvider(PARAMS_PROVIDER_TOKEN)
      .useFactory({ factory: (lines: RequestLines) => logOptions(config, lines, log), inject: [RequestLines] })
      .compile();
    const app = module.createNestApplication<NestFastifyApplication>(createAdapter(config));
    app.useLogger(app.get(Logger));
    await configureApp(app);
    await app.init();
    await app.getHttpAdapter().getInstance().ready();
    if (config.events.enabled) await events.ready;
    return new Portal(app, issuer, org, billing, events);
  }

  /** Sends a GET request with these headers alone, so without a token unless they have one. */
  async anonymous(url: string, headers: Record<string, string> = {}) {
    return this.app.inject({ method: 'GET', url, headers });
  }

  async get(user: string, url: string) {
    return this.anonymous(url, await this.bearer(user));
  }

  async post(
    user: string,
    url: string,
    payload: string | object,
    contentType = 'application/json',
    more: Record<string, string> = {},
  ) {
    const headers = { ...(await this.bearer(user)), 'content-type': contentType, ...more };
    const body = typeof payload === 'string' ? payload : JSON.stringify(payload);
    return this.app.inject({ method: 'POST', url, headers, payload: body });
  }

  /** What the subscribers of the application ask for. */
  subscriptions(): readonly Subscription[] {
    return this.app
      .get(DiscoveryService, { strict: false })
      .getProviders()
      .map(({ instance }: { instance: unknown }) => instance)
      .filter((instance) => instance instanceof ChangeSubscriber)
      .flatMap(({ subscriptions }) => subscriptions);
  }

  /** The counters of a domain's cache, as its health endpoint shows them. */
  async metrics(domain: 'catalog' | 'orders' | 'billing'): Promise<Pick<DomainMetrics, 'buckets' | 'invalidations'>> {
    const { invalidations, ...buckets } = (await this.anonymous(`/health/${domain}/cache`)).json().metrics;
    return { invalidations, buckets };
  }

  async close(): Promise<void> {
    await this.app.close();
    await this.issuer.stop();
  }

  private async bearer(user: string): Promise<Record<string, string>> {
    return { authorization: `Bearer ${await this.issuer.token(user)}` };
  }
}
