import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SalesforceConnection } from '@bff/integrations/salesforce/connection/salesforce-connection';
import { type Sandbox, startSandbox } from '../../../apps/sandbox/src/sandbox.js';

const PRODUCTION = 'https://login.salesforce.com';

describe('signing in with a JWT to an org that wants one audience', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  let sandbox: Sandbox;

  beforeAll(async () => {
    const jwtPublicKey = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    sandbox = await startSandbox({ port: 0, latencyMs: 0, jwtPublicKey, jwtAudience: PRODUCTION });
  });
  afterAll(() => sandbox.close());

  const signIn = (jwtAudience?: string): Promise<string> =>
    new SalesforceConnection({
      loginUrl: sandbox.url,
      clientId: 'sandbox-client',
      username: sandbox.org.username,
      privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      ...(jwtAudience !== undefined && { jwtAudience }),
    }).organizationId();

  it('succeeds at its own address with the audience that is set, a slash at the end or not', async () => {
    expect(await signIn(PRODUCTION)).toBe(sandbox.org.organizationId);
    expect(await signIn(`${PRODUCTION}/`)).toBe(sandbox.org.organizationId);
  });

  it('fails with another one, and says what to look at', async () => {
    await expect(signIn()).rejects.toMatchObject({
      code: 'SALESFORCE_AUTH_FAILED',
      message: expect.stringMatching(/audience is invalid.*SF_JWT_AUDIENCE/),
    });
    await expect(signIn('https://test.salesforce.com')).rejects.toThrow('SF_JWT_AUDIENCE');
  });
});
