import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { MemorySpendLedger } from '@bff/infra/sources/memory-spend-ledger';
import { JsforceSalesforceClient } from '@bff/integrations/salesforce/connection/jsforce-salesforce.client';
import { SalesforceConnection } from '@bff/integrations/salesforce/connection/salesforce-connection';
import { soql } from '@bff/integrations/salesforce/soql';
import { HttpWhmcsClient } from '@bff/integrations/whmcs/http-whmcs.client';
import { type Sandbox, startSandbox } from '../../../apps/sandbox/src/sandbox.js';

const credentials = { clientId: 'sandbox-client', clientSecret: 'sandbox-secret' };

describe('[N9] the record of calls', () => {
  let sandbox: Sandbox;
  let org: JsforceSalesforceClient;
  let billing: HttpWhmcsClient;
  beforeAll(async () => {
    sandbox = await startSandbox({ port: 0, latencyMs: 0 });
  });
  afterAll(() => sandbox.close());
  beforeEach(() => {
    org = new JsforceSalesforceClient(new SalesforceConnection({ loginUrl: sandbox.url, ...credentials }));
    billing = whmcsAt(`${sandbox.url}/whmcs/includes/api.php`);
  });
  afterEach(() => {
    org.close();
    billing.close();
    sandbox.endFaults();
  });

  const whmcsAt = (url: string) =>
    new HttpWhmcsClient({ url, identifier: 'sandbox-identifier', secret: 'sandbox-secret' });
  const query = () => org.query(soql`SELECT Id FROM Pricebook2`);
  const failed = (call: Promise<unknown>) => expect(call).rejects.toBeInstanceOf(Error);

  it.each([
    ['rest', 'unavailable', 'SALESFORCE_UNAVAILABLE'],
    ['rest', 'request-limit', 'SALESFORCE_LIMIT_EXCEEDED'],
    ['rest', 'invalid-session', 'SALESFORCE_AUTH_FAILED'],
    ['rest', 'connection-dropped', 'SALESFORCE_UNAVAILABLE'],
    ['oauth', 'invalid-client', 'SALESFORCE_AUTH_FAILED'],
    ['oauth', 'unavailable', 'SALESFORCE_UNAVAILABLE'],
  ] as const)('of Salesforce has the failure of `%s` as %s', async (target, error, code) => {
    if (target === 'rest') await query();
    sandbox.fault({ fault: 'refuse', target, error, count: 1_000 });
    await failed(query());
    expect(org.callRecord().lastFailure?.code).toBe(code);
    expect(org.callRecord().lastSuccessAt === undefined).toBe(target === 'oauth');
  });

  it.each([
    ['unavailable', 'WHMCS_UNAVAILABLE'],
    ['connection-dropped', 'WHMCS_UNAVAILABLE'],
  ] as const)('of WHMCS has the failure %s', async (error, code) => {
    await billing.paymentGateways();
    sandbox.fault({ fault: 'refuse', target: 'whmcs', error, count: 1_000 });
    await failed(billing.paymentGateways());
    expect(billing.callRecord()).toMatchObject({ lastSuccessAt: expect.any(Number), lastFailure: { code } });
  });

  it('has wrong credentials, a wrong address and a wrong query as failures, each by its code', async () => {
    const stranger = new HttpWhmcsClient({
      url: `${sandbox.url}/whmcs/includes/api.php`,
      identifier: 'x',
      secret: 'y',
    });
    await failed(stranger.paymentGateways());
    expect(stranger.callRecord()).toEqual({ lastFailure: { at: expect.any(Number), code: 'WHMCS_AUTH_FAILED' } });
    const lost = whmcsAt(`${sandbox.url}/nowhere`);
    await failed(lost.paymentGateways());
    expect(lost.callRecord().lastFailure?.code).toBe('WHMCS_INVALID_ANSWER');
    await failed(org.query(soql`SELECT Nothing__c FROM Order`));
    expect(org.callRecord().lastFailure?.code).toBe('SALESFORCE_BAD_REQUEST');
  });

  it('takes a record that is not found as the answer of a WHMCS that works', async () => {
    expect(await billing.invoice(1, 999_999)).toBeUndefined();
    expect(billing.callRecord()).toEqual({ lastSuccessAt: expect.any(Number) });
  });

  it('hears nothing of Salesforce in a call that the caller gave up or that came after the end', async () => {
    await failed(org.query(soql`SELECT Id FROM Pricebook2`, { signal: AbortSignal.abort() }));
    org.close();
    await failed(query());
    expect(org.callRecord()).toEqual({});
  });

  it('has reads that were refused to keep the rest of the quota', async () => {
    const poor = await startSandbox({ port: 0, latencyMs: 0, dailyRequestsMax: 2 });
    const connection = new SalesforceConnection({ loginUrl: poor.url, ...credentials });
    const client = new JsforceSalesforceClient(connection, { spend: new MemorySpendLedger() });
    try {
      await client.query(soql`SELECT Id FROM Pricebook2`);
      for (let i = 0; i < 3; i += 1) await client.query(soql`SELECT Id FROM Pricebook2`).catch(() => undefined);
      expect(client.apiUsage()?.refused).toBeGreaterThan(0);
      expect(client.callRecord().lastFailure?.code).toBe('SALESFORCE_QUOTA_RESERVED');
    } finally {
      client.close();
      await poor.close();
    }
  });
});
