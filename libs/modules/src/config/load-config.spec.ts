import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ConfigError } from '../../../infra/src/config/config.errors.js';
import { keyAndCertificate } from '../../../../test/support/redis/certificates.js';
import type { RawEnvironment } from '@bff/infra/config/read-environment';
import { demoEncryptionKey } from './demo-settings.js';
import { loadConfig } from './load-config.js';
import { ownVariables } from './own-variables.js';

const key32 = Buffer.alloc(32, 7).toString('base64');
const privateKey = generateKeyPairSync('rsa', { modulusLength: 2048 })
  .privateKey.export({ type: 'pkcs8', format: 'pem' })
  .toString();
const realOrg = {
  SF_LOGIN_URL: 'https://acme.my.salesforce.com',
  SF_CLIENT_ID: 'client',
  SF_CLIENT_SECRET: 'client-secret',
  WHMCS_API_URL: 'https://billing.example/includes/api.php',
  WHMCS_API_IDENTIFIER: 'identifier',
  WHMCS_API_SECRET: 'whmcs-secret',
  AUTH_ISSUER: 'https://login.example/',
  AUTH_AUDIENCE: 'portal',
  AUTH_JWKS_URL: 'https://login.example/keys',
  PSEUDONYM_KEY: key32,
};

function without(env: RawEnvironment, ...names: string[]): RawEnvironment {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !names.includes(name)));
}

function problemsOf(env: RawEnvironment): string[] {
  try {
    loadConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map((problem) => problem.name);
    throw error;
  }
  return [];
}

function messageOf(env: RawEnvironment): string {
  try {
    loadConfig(env);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('the configuration was accepted');
}

describe('loadConfig', () => {
  it('needs nothing: the sandbox, the embedded store, no keys', () => {
    const config = loadConfig({});
    expect(config).toMatchObject({
      app: { name: 'evergreen', environment: 'development', logLevel: 'info' },
      http: { host: '127.0.0.1', port: 3000, bodyLimitBytes: 65_536, shutdownGraceMs: 10_000 },
      worker: { port: 3100 },
      redis: { url: undefined, commandTimeoutMs: 200, connectTimeoutMs: 2_000 },
      cache: { partitions: 1, safetyTtlSeconds: 0, memoryMaxBytes: 256 * 1024 * 1024, encryptionKeys: [] },
      salesforce: {
        loginUrl: 'http://127.0.0.1:4000',
        isSandbox: true,
        clientId: 'sandbox-client',
        clientSecret: 'sandbox-secret',
      },
      events: { enabled: true, orderChannel: '/data/OrderChangeEvent' },
      whmcs: { apiUrl: 'http://127.0.0.1:4000/whmcs/includes/api.php', identifier: 'sandbox-identifier' },
      auth: {
        issuer: 'http://127.0.0.1:4000',
        audience: 'evergreen-portal',
        jwksUrl: 'http://127.0.0.1:4000/.well-known/jwks.json',
      },
    });
  });

  it('follows the sandbox to another host and port', () => {
    const config = loadConfig({ SANDBOX_HOST: 'sandbox', SANDBOX_PORT: '4444', SF_EVENTS_TRANSPORT: 'cometd' });
    expect(config.salesforce.loginUrl).toBe('http://sandbox:4444');
    expect(config.whmcs.apiUrl).toBe('http://sandbox:4444/whmcs/includes/api.php');
    expect(config.auth.jwksUrl).toBe('http://sandbox:4444/.well-known/jwks.json');
    expect(loadConfig({ SANDBOX_HOST: '0.0.0.0' }).salesforce.loginUrl).toBe('http://127.0.0.1:4000');
    const elsewhere = { SANDBOX_HOST: '0.0.0.0', SANDBOX_PUBLIC_URL: 'http://sandbox:4000' };
    expect(loadConfig({ ...elsewhere, SF_EVENTS_TRANSPORT: 'cometd' }).auth.issuer).toBe('http://sandbox:4000');
  });

  it('brings change events over the Pub/Sub API, of the sandbox on this machine or of Salesforce', () => {
    const events = (env: RawEnvironment) => {
      const { eventTransport, pubsubEndpoint } = loadConfig(env).salesforce;
      return [eventTransport, pubsubEndpoint];
    };
    expect(events({})).toEqual(['pubsub', 'http://127.0.0.1:4001']);
    expect(events({ SANDBOX_GRPC_PORT: '5001', SANDBOX_HOST: '::' })).toEqual(['pubsub', 'http://127.0.0.1:5001']);
    expect(events(realOrg)).toEqual(['pubsub', undefined]);
    const eu = 'api.deu.pubsub.salesforce.com:7443';
    expect(events({ ...realOrg, SF_PUBSUB_ENDPOINT: eu, SF_EVENTS_TRANSPORT: 'cometd' })).toEqual(['cometd', eu]);
    expect(events({ SF_PUBSUB_ENDPOINT: 'http://localhost:9' })).toEqual(['pubsub', 'http://localhost:9']);
  });

  it('speaks to the Pub/Sub API without TLS on this machine only', () => {
    expect(messageOf({ SF_PUBSUB_ENDPOINT: 'http://sandbox:4001' })).toMatch(
      /SF_PUBSUB_ENDPOINT is "http:\/\/sandbox:4001": expected sandbox:4001, over TLS, because the access token travels/,
    );
    expect(problemsOf({ SF_PUBSUB_ENDPOINT: 'api.pubsub.salesforce.com' })).toEqual(['SF_PUBSUB_ENDPOINT']);
    const compose = { SANDBOX_PUBLIC_URL: 'http://sandbox:4000' };
    expect(messageOf(compose)).toMatch(/SF_EVENTS_TRANSPORT is "pubsub": expected cometd, because the sandbox is on/);
    expect(problemsOf({ ...compose, SF_EVENTS_TRANSPORT: 'cometd' })).toEqual([]);
    expect(problemsOf({ ...compose, SF_EVENTS_ENABLED: 'false' })).toEqual([]);
  });

  it('is frozen through and through', () => {
    const config = loadConfig({ REDIS_SENTINELS: 'a:1,b:2', REDIS_SENTINEL_NAME: 'main' });
    const unfrozen = (value: unknown): boolean =>
      typeof value === 'object' && value !== null && (!Object.isFrozen(value) || Object.values(value).some(unfrozen));
    expect(unfrozen(config)).toBe(false);
    expect(unfrozen({ a: Object.freeze([{}]) })).toBe(true);
    expect(config.redis.sentinels).toEqual([
      { host: 'a', port: 1 },
      { host: 'b', port: 2 },
    ]);
    expect(Object.isFrozen(demoEncryptionKey)).toBe(false); // a copy is frozen, not the module's constant
  });

  it('reports every problem at once, in words', () => {
    const message = messageOf({
      PORT: '70000',
      LOG_LEVEL: 'loud',
      CACHE_LEASE_MS: '10s',
      SF_EVENTS_ENABLED: 'yes',
      SF_ORDER_CDC_CHANNEL: 'OrderChangeEvent',
      REDIS_SENTINELS: 'a:1',
      SF_LOGIN_URLL: 'https://x',
    });
    expect(message.split('\n')).toEqual([
      'The configuration has 7 problems:',
      '  - LOG_LEVEL is "loud": expected one of fatal, error, warn, info, debug, trace, silent',
      '  - PORT is "70000": expected a whole number from 0 to 65535',
      '  - CACHE_LEASE_MS is "10s": expected a whole number from 100 to 300000',
      '  - SF_EVENTS_ENABLED is "yes": expected true or false',
      '  - SF_ORDER_CDC_CHANNEL is "OrderChangeEvent": expected a channel such as /data/OrderChangeEvent',
      '  - REDIS_SENTINEL_NAME is not set: expected the name of the primary, because REDIS_SENTINELS is set',
      '  - SF_LOGIN_URLL is set: expected no variable of this name; did you mean SF_LOGIN_URL?',
    ]);
  });

  it('never shows a secret in a message', () => {
    const message = messageOf({
      CACHE_ENCRYPTION_KEYS: 'hunter2',
      SF_PRIVATE_KEY: 'hunter3',
      REDIS_URL: 'http://app:hunter4@redis',
      SF_LOGIN_URL: 'https://user:hunter5@acme.example',
    });
    expect(message).toContain('CACHE_ENCRYPTION_KEYS is (hidden, 7 characters)');
    expect(message).toContain('REDIS_URL is "http://****@redis"');
    expect(message).not.toMatch(/hunter[2345]/);
  });

  const SECRET = 'hunter-of-secrets';
  it.each([
    ['REDIS_URL', `redis://app:50%${SECRET}@127.0.0.1:6379`, 'redis://****@127.0.0.1:6379'],
    ['REDIS_URL', `redis://app:%E0%A4${SECRET}@127.0.0.1:6379`, 'redis://****@127.0.0.1:6379'],
    ['REDIS_URL', `redis://127.0.0.1:6379?password=${SECRET}`, 'redis://127.0.0.1:6379?****'],
    ['REDIS_URL', `redis://127.0.0.1:6379#${SECRET}`, 'redis://127.0.0.1:6379#****'],
    ['REDIS_SENTINELS', `default:${SECRET}@10.0.0.1:26379`, '****@10.0.0.1:26379'],
    ['REDIS_SENTINELS', `redis://:${SECRET}@10.0.0.1:26379,redis://:${SECRET}@10.0.0.2:26379`, '****@10.0.0.2:26379'],
    ['REDIS_SENTINELS', `10.0.0.1:26379?password=${SECRET}`, '10.0.0.1:26379?****'],
    ['REDIS_CLUSTER_NODES', `default:${SECRET}@10.0.0.1:6379`, '****@10.0.0.1:6379'],
    ['WHMCS_API_URL', `ftp://billing.example/api.php?accesskey=${SECRET}`, 'ftp://billing.example/api.php?****'],
    ['WHMCS_API_URL', `http://billing.example/api.php?accesskey=${SECRET}`, 'http://billing.example/api.php?****'],
    ['SF_PUBSUB_ENDPOINT', `https://user:${SECRET}@api.example:443`, 'https://****@api.example:443'],
    ['AUTH_ISSUER', `http://issuer.example/?key=${SECRET}`, 'http://issuer.example/?****'],
  ])('[B11] refuses %s=%s without showing the secret that is in it', (name, value, shown) => {
    const message = messageOf({ [name]: value });
    expect(message).toMatch(new RegExp(`- ${name} is "[^"]*${shown.replace(/[?*.]/g, '\\$&')}": expected `));
    expect(message).not.toContain(SECRET);
  });

  it('[B11] takes a password with a % that is written as %25, and the family of addresses', () => {
    const url = 'redis://app:50%25@127.0.0.1:6379/1?family=6';
    expect(loadConfig({ REDIS_URL: url }).redis.url).toBe(url);
  });

  it('takes an empty variable as not set, and ignores the rest of the environment', () => {
    const config = loadConfig({ PORT: '', SF_LOGIN_URL: '  ', PATH: '/bin', HOME: undefined, npm_config_cache: 'x' });
    expect(config.http.port).toBe(3000);
    expect(config.salesforce.isSandbox).toBe(true);
  });

  it.each([
    ['CACHE_LEASE', 'did you mean CACHE_LEASE_MS?'],
    ['WHMCS_API_IDENTIFER', 'did you mean WHMCS_API_IDENTIFIER?'],
    ['REDIS_ULR', 'did you mean REDIS_URL?'],
    ['CACHE_SOMETHING_ELSE_ENTIRELY', 'see .env.example'],
    ['REDIS_HOST', 'did you mean REDIS_URL, such as redis://user:password@host:6379/0?'],
    ['REDIS_SSL', 'did you mean REDIS_TLS, or rediss:// in REDIS_URL?'],
    ['SF_INSTANCE_URL', 'did you mean SF_LOGIN_URL?'],
  ])('[N10] stops at the unknown variable %s', (name, hint) => {
    expect(messageOf({ [name]: 'x' })).toContain(hint);
  });

  it('suggests only variables that exist, for the names of other products', () => {
    for (const meant of Object.values(ownVariables.elsewhere)) {
      expect(ownVariables.known).toContain(meant.match(/^\w+/)?.[0]);
    }
    expect(Object.keys(ownVariables.elsewhere).filter((name) => ownVariables.known.includes(name))).toEqual([]);
  });

  it('leaves alone what Kubernetes and the Salesforce command line tool set with our prefixes', () => {
    const foreign = {
      REDIS_SERVICE_HOST: '10.0.0.1',
      REDIS_PORT: 'tcp://10.0.0.1:6379',
      REDIS_PORT_6379_TCP: 'tcp://10.0.0.1:6379',
      SF_DISABLE_TELEMETRY: '1',
    };
    expect(problemsOf(foreign)).toEqual([]);
  });

  it('accepts one way to reach Redis only', () => {
    const both = { REDIS_URL: 'redis://a', REDIS_CLUSTER_NODES: 'b:1' };
    expect(problemsOf(both)).toEqual(['REDIS_CLUSTER_NODES']);
    expect(problemsOf({ REDIS_SENTINEL_NAME: 'main' })).toEqual(['REDIS_SENTINELS']);
    expect(problemsOf({ REDIS_URL: 'redis://a', REDIS_PASSWORD: 'x' })).toEqual(['REDIS_PASSWORD']);
    expect(problemsOf({ REDIS_URL: 'localhost:6379' })).toEqual(['REDIS_URL']);
    expect(problemsOf({ REDIS_CLUSTER_NODES: 'b:1,[::1]:2,c' })).toEqual(['REDIS_CLUSTER_NODES']);
  });

  it('encrypts made-up data with the demo key and says so, unless a key is set', () => {
    const demo = loadConfig({ REDIS_URL: 'redis://a' }).cache;
    expect(demo).toMatchObject({ encryptionKeys: [demoEncryptionKey], usesDemoEncryptionKey: true });
    expect(Buffer.from(demoEncryptionKey.base64, 'base64')).toHaveLength(32);
    const own = loadConfig({ REDIS_URL: 'redis://a', CACHE_ENCRYPTION_KEYS: `new:${key32}, old:${key32}` }).cache;
    expect(own.encryptionKeys.map(({ id }) => id)).toEqual(['new', 'old']);
    expect(own.usesDemoEncryptionKey).toBe(false);
    expect(problemsOf({ CACHE_ENCRYPTION_KEYS: `a:${key32},a:${key32}` })).toEqual(['CACHE_ENCRYPTION_KEYS']);
    expect(problemsOf({ CACHE_ENCRYPTION_KEYS: 'a:c2hvcnQ=' })).toEqual(['CACHE_ENCRYPTION_KEYS']);
  });
});

describe('loadConfig for a real org', () => {
  it('accepts client credentials, or a user with a private key in any usual form', () => {
    expect(loadConfig(realOrg).salesforce).toMatchObject({
      isSandbox: false,
      clientId: 'client',
      clientSecret: 'client-secret',
    });
    for (const form of [privateKey, privateKey.replaceAll('\n', '\\n'), Buffer.from(privateKey).toString('base64')]) {
      const env = { ...without(realOrg, 'SF_CLIENT_SECRET'), SF_USERNAME: 'integration@acme', SF_PRIVATE_KEY: form };
      expect(loadConfig(env).salesforce.privateKey?.trim()).toBe(privateKey.trim());
    }
  });

  it('refuses at the start what the parts that it is for would refuse later', () => {
    const ecKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
      type: 'pkcs8',
      format: 'pem',
    });
    const names = (env: RawEnvironment) => problemsOf({ ...realOrg, ...env });
    expect(names({ SF_API_VERSION: '56.0', CACHE_BYPASS_CONCURRENCY: '1001' }).sort()).toEqual([
      'CACHE_BYPASS_CONCURRENCY',
      'SF_API_VERSION',
    ]);
    const jwt = { SF_CLIENT_SECRET: '', SF_USERNAME: 'u@acme.example', SF_PRIVATE_KEY: ecKey.toString() };
    expect(names(jwt)).toContain('SF_PRIVATE_KEY');
    expect(names({ SF_API_VERSION: '57.0', CACHE_BYPASS_CONCURRENCY: '1000' })).toEqual([]);
    expect(names({ SF_API_VERSION: '67.0' })).toEqual([]);
    expect(names({ SF_API_VERSION: '68.0' })).toEqual(['SF_API_VERSION']);
  });

  it('wants credentials', () => {
    expect(problemsOf(without(realOrg, 'SF_CLIENT_ID', 'SF_CLIENT_SECRET'))).toEqual([
      'SF_CLIENT_ID',
      'SF_CLIENT_SECRET',
    ]);
    expect(problemsOf({ ...without(realOrg, 'SF_CLIENT_SECRET'), SF_USERNAME: 'u' })).toEqual(['SF_PRIVATE_KEY']);
  });

  it('never falls back to what the sandbox would accept', () => {
    const onlySalesforce = without(realOrg, ...Object.keys(realOrg).filter((name) => !name.startsWith('SF_')));
    expect(problemsOf(onlySalesforce)).toEqual([
      'WHMCS_API_URL',
      'WHMCS_API_IDENTIFIER',
      'WHMCS_API_SECRET',
      'AUTH_ISSUER',
      'AUTH_AUDIENCE',
      'AUTH_JWKS_URL',
      'PSEUDONYM_KEY',
    ]);
    expect(problemsOf({ ...realOrg, REDIS_URL: 'redis://a' })).toEqual(['CACHE_ENCRYPTION_KEYS']);
    const keys = { CACHE_ENCRYPTION_KEYS: `k:${key32}` };
    expect(problemsOf({ ...realOrg, REDIS_URL: 'redis://a', ...keys })).toEqual([]);
  });

  it('still wants the rest when the login URL itself is bad', () => {
    expect(problemsOf({ SF_LOGIN_URL: 'acme.my.salesforce.com' })).toEqual(
      expect.arrayContaining(['SF_LOGIN_URL', 'SF_CLIENT_ID']),
    );
  });

  it('refuses plain http, except on this machine', () => {
    expect(problemsOf({ ...realOrg, AUTH_JWKS_URL: 'http://login.example/keys' })).toEqual(['AUTH_JWKS_URL']);
    expect(problemsOf({ ...realOrg, SF_LOGIN_URL: 'http://127.0.0.1.evil.example' })).toEqual(['SF_LOGIN_URL']);
    const local = { SF_LOGIN_URL: 'http://localhost:4000', SF_CLIENT_ID: 'a', SF_CLIENT_SECRET: 'b' };
    expect(loadConfig(local).salesforce.isSandbox).toBe(false);
  });

  it('keeps the issuer as it is written, because tokens are compared with it character by character', () => {
    expect(loadConfig(realOrg).auth.issuer).toBe('https://login.example/');
  });
});

describe('TLS of Redis', () => {
  const { key, cert } = keyAndCertificate();
  const cluster = { REDIS_CLUSTER_NODES: 'a:1', REDIS_TLS: 'true' };
  const sentinel = { REDIS_SENTINELS: 'a:1', REDIS_SENTINEL_NAME: 'main' };

  it('takes certificates and a key as text, with line breaks written out too, or as the path of a file', () => {
    const folder = mkdtempSync(join(tmpdir(), 'config-'));
    try {
      const file = join(folder, 'cert.pem');
      writeFileSync(file, cert);
      const texts = { REDIS_TLS_CA: file, REDIS_TLS_CERT: cert, REDIS_TLS_KEY: key.replaceAll('\n', '\\n') };
      const { tlsCa, tlsCert, tlsKey } = loadConfig({ ...cluster, ...texts }).redis;
      expect([tlsCa, tlsCert, tlsKey].map((text) => text?.trim())).toEqual(
        [cert, cert, key].map((text) => text.trim()),
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
    expect(messageOf({ ...cluster, REDIS_TLS_CA: '/no/such/file' })).toContain('the path of a file with certificates');
  });

  it('[T8] reaches the Sentinels, unless they are told apart', () => {
    expect(loadConfig({ ...sentinel, REDIS_TLS: 'true' }).redis.sentinelTls).toBe(true);
    expect(loadConfig({ ...sentinel, REDIS_TLS: 'true', REDIS_SENTINEL_TLS: 'false' }).redis.sentinelTls).toBe(false);
    expect(loadConfig(sentinel).redis.sentinelTls).toBe(false);
  });

  it('refuses what would be left out in silence', () => {
    expect(problemsOf({ REDIS_URL: 'redis://a', REDIS_TLS: 'true' })).toEqual(['REDIS_TLS']);
    expect(problemsOf({ REDIS_URL: 'rediss://a', REDIS_TLS: 'false' })).toEqual(['REDIS_TLS']);
    expect(problemsOf({ REDIS_URL: 'rediss://a', REDIS_TLS: 'true' })).toEqual([]);
    expect(problemsOf({ REDIS_URL: 'rediss://a' })).toEqual([]);
    expect(problemsOf({ REDIS_URL: 'redis://a', REDIS_TLS_CA: cert })).toEqual(['REDIS_TLS_CA']);
    expect(problemsOf({ REDIS_URL: 'rediss://a', REDIS_TLS_CA: cert })).toEqual([]);
    expect(problemsOf({ ...cluster, REDIS_TLS_CERT: cert })).toEqual(['REDIS_TLS_KEY']);
    expect(problemsOf({ ...cluster, REDIS_TLS_CERT: cert, REDIS_TLS_KEY: keyAndCertificate().key })).toEqual([
      'REDIS_TLS_KEY',
    ]);
    expect(problemsOf({ ...cluster, REDIS_SENTINEL_PASSWORD: 'x' })).toEqual(['REDIS_SENTINEL_PASSWORD']);
  });
});

describe('the .env file', () => {
  it('is read from the working directory, and the real environment wins', () => {
    const folder = mkdtempSync(join(tmpdir(), 'evergreen-env-'));
    const cwd = process.cwd();
    writeFileSync(join(folder, '.env'), '# comment\nAPP_NAME=from-file\nSHUTDOWN_GRACE_MS="1234"\n');
    process.env.APP_NAME = 'from-environment';
    try {
      process.chdir(folder);
      expect(loadConfig()).toMatchObject({ app: { name: 'from-environment' }, http: { shutdownGraceMs: 1_234 } });
    } finally {
      process.chdir(cwd);
      delete process.env.APP_NAME;
      rmSync(folder, { recursive: true });
    }
  });
});

describe('loadConfig in production', () => {
  const production = {
    ...realOrg,
    NODE_ENV: 'production',
    REDIS_URL: 'rediss://redis.example:6379',
    CACHE_ENCRYPTION_KEYS: `a:${randomBytes(32).toString('base64')}`,
    PSEUDONYM_KEY: randomBytes(32).toString('base64'),
    WHMCS_WEBHOOK_SECRET: randomBytes(32).toString('hex'),
    OPERATOR_TOKEN: randomBytes(32).toString('hex'),
  };
  const also = (env: RawEnvironment) => problemsOf({ ...production, ...env });
  const zero = Buffer.alloc(32).toString('base64');

  it('[C12] accepts an org with keys of its own', () => {
    expect(also({})).toEqual([]);
    expect(also({ REDIS_URL: 'redis://127.0.0.1:6379' })).toEqual([]);
    expect(also({ REDIS_URL: '' })).toEqual([]);
  });

  it('[C12] names everything that the demo would fill in, at once, and what allows the demo', () => {
    const env = { NODE_ENV: 'production', REDIS_URL: 'redis://redis:6379' };
    expect(problemsOf(env).sort()).toEqual([
      'AUTH_AUDIENCE',
      'AUTH_ISSUER',
      'AUTH_JWKS_URL',
      'CACHE_ENCRYPTION_KEYS',
      'PSEUDONYM_KEY',
      'REDIS_URL',
      'SF_CLIENT_ID',
      'SF_CLIENT_SECRET',
      'SF_LOGIN_URL',
      'WHMCS_API_IDENTIFIER',
      'WHMCS_API_SECRET',
      'WHMCS_API_URL',
    ]);
    expect(messageOf(env)).toContain('because NODE_ENV is production (ALLOW_DEMO=true allows the demo)');
    expect(messageOf(env)).toMatch(/REDIS_URL is "redis:\/\/redis:6379": expected rediss:.*REDIS_ALLOW_PLAIN=true/);
    expect(loadConfig({ ...env, ALLOW_DEMO: 'true' }).app.allowsDemo).toBe(true);
    expect(problemsOf({ NODE_ENV: 'test' })).toEqual([]);
  });

  it.each([
    ['the demo key', { CACHE_ENCRYPTION_KEYS: `a:${demoEncryptionKey.base64}` }, ['CACHE_ENCRYPTION_KEYS']],
    ['it among others', { CACHE_ENCRYPTION_KEYS: `${production.CACHE_ENCRYPTION_KEYS},old:${demoEncryptionKey.base64}` }, ['CACHE_ENCRYPTION_KEYS']], // prettier-ignore
    ['the demo key for pseudonyms', { PSEUDONYM_KEY: demoEncryptionKey.base64 }, ['PSEUDONYM_KEY']],
    ['a key of one repeated byte', { PSEUDONYM_KEY: key32, CACHE_ENCRYPTION_KEYS: `a:${key32}` }, ['CACHE_ENCRYPTION_KEYS', 'PSEUDONYM_KEY']], // prettier-ignore
    ["the sandbox's credentials", { SF_CLIENT_ID: 'sandbox-client', SF_CLIENT_SECRET: 'sandbox-secret', WHMCS_API_IDENTIFIER: 'sandbox-identifier', WHMCS_API_SECRET: 'sandbox-secret' }, ['SF_CLIENT_ID', 'SF_CLIENT_SECRET', 'WHMCS_API_IDENTIFIER', 'WHMCS_API_SECRET']], // prettier-ignore
    ['the sandbox as issuer', { AUTH_ISSUER: 'http://localhost:4000', AUTH_JWKS_URL: 'http://127.0.0.1:4000/keys' }, ['AUTH_ISSUER', 'AUTH_JWKS_URL']], // prettier-ignore
    ['the sandbox as WHMCS', { WHMCS_API_URL: 'http://127.0.0.1:4000/whmcs/includes/api.php' }, ['WHMCS_API_URL']],
    ['a sandbox at another port, as both', { SANDBOX_PORT: '5000', AUTH_ISSUER: 'http://localhost:4000', AUTH_JWKS_URL: 'http://[::1]:4000/keys', WHMCS_API_URL: 'http://127.0.0.2:4000/whmcs/includes/api.php' }, ['WHMCS_API_URL', 'AUTH_ISSUER', 'AUTH_JWKS_URL']], // prettier-ignore
    ['what is on this machine and not excepted', { ALLOW_LOOPBACK: 'WHMCS_API_URL', WHMCS_API_URL: 'http://localhost:81/api.php', AUTH_ISSUER: 'https://localhost' }, ['AUTH_ISSUER']], // prettier-ignore
    ['the sandbox, excepted or not', { SANDBOX_PORT: '5000', ALLOW_LOOPBACK: 'AUTH_ISSUER', AUTH_ISSUER: 'http://localhost:5000' }, ['AUTH_ISSUER']], // prettier-ignore
    ['the sandbox as Salesforce', { SF_LOGIN_URL: 'http://127.0.0.1:4000' }, ['SF_LOGIN_URL']],
    ['placeholders as secrets', { WHMCS_WEBHOOK_SECRET: 'x'.repeat(32), OPERATOR_TOKEN: '0123'.repeat(9) }, ['WHMCS_WEBHOOK_SECRET', 'OPERATOR_TOKEN']], // prettier-ignore
    ['a plain Redis elsewhere', { REDIS_URL: 'redis://10.0.0.1' }, ['REDIS_URL']],
    ['a plain Cluster elsewhere', { REDIS_URL: '', REDIS_CLUSTER_NODES: '127.0.0.1:1,10.0.0.1:2' }, ['REDIS_TLS']],
    ['plain Sentinels elsewhere', { REDIS_URL: '', REDIS_SENTINELS: '[fd00::1]:1', REDIS_SENTINEL_NAME: 'm' }, ['REDIS_TLS']], // prettier-ignore
  ])('[C12] refuses %s, and prints no secret', (_what, env, names) => {
    expect(also(env)).toEqual(names);
    const shown = messageOf({ ...production, ...env });
    for (const secret of [demoEncryptionKey.base64, key32, 'sandbox-secret', 'xxxx', '0123']) {
      expect(shown).not.toContain(secret);
    }
    const isOfRealOrg = !('SF_LOGIN_URL' in env);
    expect(also({ ...env, ALLOW_DEMO: 'true' })).toEqual(isOfRealOrg ? names : []);
  });

  it('[C12] takes what runs beside the process where the operator names it', () => {
    const beside = { WHMCS_API_URL: 'http://localhost:81/api.php', AUTH_JWKS_URL: 'http://127.0.0.1:82/keys' };
    expect(messageOf({ ...production, ...beside })).toMatch(
      /AUTH_JWKS_URL is "http:\/\/127\.0\.0\.1:82\/keys": expected not an address of this machine, .*ALLOW_LOOPBACK=AUTH_JWKS_URL/,
    );
    expect(also({ ...beside, ALLOW_LOOPBACK: 'WHMCS_API_URL, AUTH_JWKS_URL' })).toEqual([]);
    expect(also({ ALLOW_LOOPBACK: 'SF_LOGIN_URL' })).toEqual(['ALLOW_LOOPBACK']);
    expect(also({ ALLOW_LOOPBACK: 'SF_LOGIN_URL', SF_LOGIN_URL: 'http://localhost:4000' })).toContain('SF_LOGIN_URL');
  });

  it('[C12] takes a plain Redis where the operator says that the network is trusted', () => {
    expect(also({ REDIS_URL: 'redis://10.0.0.1', REDIS_ALLOW_PLAIN: 'true' })).toEqual([]);
    expect(also({ REDIS_URL: '', REDIS_CLUSTER_NODES: '[::1]:1,127.0.0.1:2' })).toEqual([]);
  });

  it('[C12] refuses keys of zero bytes everywhere', () => {
    expect(problemsOf({ PSEUDONYM_KEY: zero })).toEqual(['PSEUDONYM_KEY']);
    expect(problemsOf({ CACHE_ENCRYPTION_KEYS: `a:${key32},b:${zero}` })).toEqual(['CACHE_ENCRYPTION_KEYS']);
  });

  it('[C11] knows operators by address on this machine, in production by what is set alone', () => {
    expect(loadConfig({}).operator).toEqual({ token: undefined, addresses: ['127.0.0.0/8', '::1'] });
    expect(loadConfig({ ...production, OPERATOR_TOKEN: '' }).operator).toEqual({ token: undefined, addresses: [] });
    const set = loadConfig({ ...production, OPERATOR_ADDRESSES: '10.1.0.0/16, fd00::1' }).operator;
    expect(set).toEqual({ token: production.OPERATOR_TOKEN, addresses: ['10.1.0.0/16', 'fd00::1'] });
    for (const wrong of ['10.0.0.0/33', 'localhost', '10.0.0.1,', '::1/129', '1.2.3.4/'])
      expect(problemsOf({ OPERATOR_ADDRESSES: wrong })).toEqual(['OPERATOR_ADDRESSES']);
    expect(problemsOf({ OPERATOR_TOKEN: 'short' })).toEqual(['OPERATOR_TOKEN']);
  });

  it('[N6] drains in production, and ends at once elsewhere', () => {
    expect(loadConfig(production).http).toMatchObject({ shutdownDrainMs: 5_000, shutdownGraceMs: 10_000 });
    expect(loadConfig({}).http.shutdownDrainMs).toBe(0);
    expect(loadConfig({ SHUTDOWN_DRAIN_MS: '750' }).http.shutdownDrainMs).toBe(750);
  });
});
