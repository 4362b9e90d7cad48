import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import jsforce from 'jsforce';
import { loadConfig } from '@bff/modules/config/load-config';
import { SF_API_VERSIONS } from '@bff/integrations/salesforce/salesforce-variables';
import { AppModule } from '../../../apps/bff/src/app.module.js';
import { configureApp, createAdapter } from '../../../apps/bff/src/create-app.js';
import { AUDIENCE } from '../../../apps/sandbox/src/issuer/token-issuer.js';
import { startSandbox, type Sandbox } from '../../../apps/sandbox/src/sandbox.js';

describe('[D4] the versions of the Salesforce API', () => {
  let sandbox: Sandbox;

  beforeAll(async () => {
    sandbox = await startSandbox({ port: 0, latencyMs: 0 });
  });
  afterAll(() => sandbox.close());

  const connectionOf = (version?: string) =>
    new jsforce.Connection({
      instanceUrl: sandbox.url,
      accessToken: sandbox.issueToken(),
      ...(version === undefined ? {} : { version }),
    });
  const call = (path: string, init: RequestInit = {}) =>
    fetch(sandbox.url + path, {
      ...init,
      headers: { authorization: `Bearer ${sandbox.issueToken()}`, 'content-type': 'application/json' },
    });

  it('[D4] serves jsforce at its own default, at 31.0 and at what @salesforce/core insists on', async () => {
    expect(connectionOf().version).toBe('50.0');
    for (const version of [undefined, '31.0', '51.0', '67.0']) {
      const found = await connectionOf(version).query('SELECT Id FROM Account LIMIT 1');
      expect(found.records[0]?.attributes?.url).toContain(`/services/data/v${version ?? '50.0'}/sobjects/Account/001`);
    }
  });

  it('[D4] lists what it serves, with the releases', async () => {
    const listed = await connectionOf().request<{ label: string; url: string; version: string }[]>('/services/data');
    expect(listed).toHaveLength(37);
    expect(listed[0]).toEqual({ label: "Summer '14", url: '/services/data/v31.0', version: '31.0' });
    expect(listed.at(-1)).toEqual({ label: "Summer '26", url: '/services/data/v67.0', version: '67.0' });
  });

  it('[D4] says GONE for a retired version and NOT_FOUND for one that never was, beside others in a request, too', async () => {
    for (const version of ['7.0', '20.0', '30.0']) {
      await expect(connectionOf(version).query('SELECT Id FROM Account LIMIT 1')).rejects.toMatchObject({
        errorCode: 'GONE',
      });
      expect((await call(`/services/data/v${version}/limits`)).status).toBe(410);
    }
    for (const version of ['v6.0', 'v68.0', 'v99.0', 'v67', 'v67.5', 'vNaN', '67.0']) {
      const response = await call(`/services/data/${version}/limits`);
      expect(response.status).toBe(404);
      expect(await response.json()).toMatchObject([{ errorCode: 'NOT_FOUND' }]);
    }
    const composite = { compositeRequest: [{ method: 'GET', url: '/services/data/v30.0/limits', referenceId: 'old' }] };
    const response = await call('/services/data/v67.0/composite', { method: 'POST', body: JSON.stringify(composite) });
    const { compositeResponse } = (await response.json()) as { compositeResponse: { httpStatusCode: number }[] };
    expect(compositeResponse[0]?.httpStatusCode).toBe(410);
  });

  it('[D4] takes the doubled slash of an instance URL that ends in one, as the sf command line sends it', async () => {
    const connection = new jsforce.Connection({ instanceUrl: `${sandbox.url}/`, accessToken: sandbox.issueToken() });
    expect(connection._baseUrl()).toContain('//services/data/');
    expect((await connection.query('SELECT Id FROM Account LIMIT 1')).totalSize).toBe(1);
    expect((await call('//services/data')).status).toBe(200);
  });

  it('[D4] knows from which version on a resource is there', async () => {
    expect((await call('/services/data/v39.0/limits/recordCount')).status).toBe(404);
    expect((await call('/services/data/v40.0/limits/recordCount')).status).toBe(200);
    expect((await call('/services/data/v37.0/composite', { method: 'POST', body: '{}' })).status).toBe(404);
    expect((await call('/cometd/68.0', { method: 'POST', body: '[]' })).status).toBe(400);
  });

  it.each(Object.values(SF_API_VERSIONS))(
    '[D4] answers the product at %s, the end of what it may be set to',
    async (version) => {
      const config = loadConfig({
        NODE_ENV: 'test',
        LOG_LEVEL: 'silent',
        AUTH_ISSUER: sandbox.url,
        AUTH_AUDIENCE: AUDIENCE,
        SF_LOGIN_URL: sandbox.url,
        SF_CLIENT_ID: 'sandbox-client',
        SF_CLIENT_SECRET: 'sandbox-secret',
        SF_PUBSUB_ENDPOINT: `http://${sandbox.pubSubEndpoint}`,
        SF_API_VERSION: version,
      });
      const module = await Test.createTestingModule({ imports: [AppModule.forConfig(config)] }).compile();
      const app = module.createNestApplication<NestFastifyApplication>(createAdapter(config));
      await configureApp(app);
      await app.init();
      try {
        const token = await (await fetch(`${sandbox.url}/demo/token/1`)).text();
        const response = await app.inject({
          method: 'GET',
          url: '/api/orders',
          headers: { authorization: `Bearer ${token}` },
        });
        expect(response.statusCode).toBe(200);
      } finally {
        await app.close();
      }
    },
  );
});
