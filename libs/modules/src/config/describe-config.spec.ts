import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { describeConfig } from '@bff/infra/config/describe-config';
import { documentationOf, variableNames } from '../../../modules/src/config/environment.schema.js';
import { loadConfig } from '../../../modules/src/config/load-config.js';
import { keyAndCertificate } from '../../../../test/support/redis/certificates.js';

const key = generateKeyPairSync('rsa', { modulusLength: 2048 })
  .privateKey.export({ type: 'pkcs8', format: 'pem' })
  .toString();
const tls = keyAndCertificate();
const secrets: Record<string, string> = {
  REDIS_URL: 'redis://app:hunter-redis@localhost:6379',
  REDIS_PASSWORD: 'hunter-password',
  REDIS_SENTINEL_PASSWORD: 'hunter-sentinel',
  REDIS_TLS_KEY: tls.key,
  CACHE_ENCRYPTION_KEYS: `id:${Buffer.from('hunter-key-of-exactly-32-bytes!!').toString('base64')}`,
  PSEUDONYM_KEY: Buffer.from('hunter-key-of-pseudonyms-32-byte').toString('base64'),
  OPERATOR_TOKEN: 'hunter-operator-of-thirty-two-characters',
  SF_CLIENT_SECRET: 'hunter-client',
  SF_PRIVATE_KEY: key,
  WHMCS_API_IDENTIFIER: 'hunter-identifier',
  WHMCS_API_SECRET: 'hunter-whmcs',
  WHMCS_WEBHOOK_SECRET: 'hunter-webhook-of-sixteen-and-more',
};

describe('describeConfig', () => {
  it('prints what is set, one line each', () => {
    const lines = describeConfig(loadConfig({ PORT: '8080', REDIS_CLUSTER_NODES: 'a:1' })).split('\n');
    expect(lines).toContain('http.port = 8080');
    expect(lines).toContain('redis.clusterNodes.0.host = a');
    expect(lines).toContain('redis.url = (not set)');
  });

  it('prints no secret, and knows every variable that is one', () => {
    expect(Object.keys(secrets).sort()).toEqual(variableNames.filter((name) => documentationOf(name).secret).sort());
    const { REDIS_URL, REDIS_PASSWORD, REDIS_SENTINEL_PASSWORD, REDIS_TLS_KEY, ...others } = secrets;
    const user = { ...others, SF_USERNAME: 'someone' };
    const byUrl = describeConfig(loadConfig({ ...user, REDIS_URL }));
    const sentinels = {
      REDIS_SENTINELS: 'a:1',
      REDIS_SENTINEL_NAME: 'main',
      REDIS_SENTINEL_PASSWORD,
      REDIS_TLS: 'true',
    };
    const bySentinels = describeConfig(loadConfig({ ...user, ...sentinels, REDIS_TLS_KEY, REDIS_TLS_CERT: tls.cert }));
    const byCluster = describeConfig(loadConfig({ ...user, REDIS_CLUSTER_NODES: 'a:1', REDIS_PASSWORD }));
    for (const text of [byUrl, byCluster, bySentinels]) {
      expect(text).not.toContain('hunter');
      expect(text).not.toContain('PRIVATE KEY');
      expect(text).not.toContain(secrets.CACHE_ENCRYPTION_KEYS?.split(':')[1]);
      expect(text).not.toContain(secrets.PSEUDONYM_KEY);
      expect(text).toContain('cache.encryptionKeys.0.base64 = ****');
    }
    expect(bySentinels).toMatch(/^redis\.tlsCert = -----BEGIN CERTIFICATE----- … \(\d+ characters\)$/m);
    expect(byUrl).toContain('redis.url = redis://****@localhost:6379');
  });

  it('[B11] prints no URL with what may be a secret in it', () => {
    const text = describeConfig(loadConfig({ WHMCS_API_URL: 'https://billing.example/api.php?accesskey=hunter' }));
    expect(text).toContain('whmcs.apiUrl = https://billing.example/api.php?****');
  });
});
