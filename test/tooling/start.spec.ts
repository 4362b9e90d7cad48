import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { demoEncryptionKey } from '@bff/modules/config/demo-settings';
import { loadConfig } from '@bff/modules/config/load-config';
import { eventually } from '../support/eventually.js';

interface Program {
  readonly name: string;
  readonly port: number;
}

interface Started {
  readonly config: ReturnType<typeof loadConfig>;
  readonly bff: object;
  readonly worker?: object;
  readonly sandbox: object;
  readonly seconds: string;
  readonly redisTrouble: string | undefined;
  readonly eventsAreLive: boolean;
}

const { redisTroubleIn, welcomeText } = (await import(resolve('tools/start/welcome.mjs'))) as {
  redisTroubleIn: (health: unknown) => string | undefined;
  welcomeText: (started: Started) => string;
};
const { ChildProcesses } = (await import(resolve('tools/start/child-processes.mjs'))) as {
  ChildProcesses: new (onDeath: (report: string) => void) => {
    start(program: Program, file: string, env: NodeJS.ProcessEnv): string;
    stop(graceMs: number): Promise<void>;
  };
};

const { ownKeys } = (await import(resolve('tools/start/own-keys.mjs'))) as {
  ownKeys: (given: Record<string, string>, folder?: string) => Record<string, string>;
};

const refused =
  'not connected (reconnecting): connect ECONNREFUSED 127.0.0.1:6379; reads go to the source, invalidations wait until the store is back';

function welcome(env: Record<string, string>, outcome: Partial<Started> = {}): string {
  const program = (name: string, port: number) => ({ host: '127.0.0.1', port, logFile: `/logs/${name}-${port}.log` });
  return welcomeText({
    config: loadConfig(env),
    bff: program('bff', 3000),
    ...(Object.keys(env).some((name) => name.startsWith('REDIS_')) && { worker: program('cdc-worker', 3100) }),
    sandbox: program('sandbox', 4000),
    seconds: '4.2',
    redisTrouble: undefined,
    eventsAreLive: true,
    ...outcome,
  });
}

describe('what npm start finds out about Redis', () => {
  it('is nothing while the cache uses it', () => {
    expect(redisTroubleIn({ status: 'ok', details: { redis: { status: 'up', connection: 'up' } } })).toBeUndefined();
    const otherTrouble = { redis: { status: 'up' }, 'sf-events': { status: 'degraded', reason: 'no consumer' } };
    expect(redisTroubleIn({ status: 'degraded', details: otherTrouble })).toBeUndefined();
  });

  it('is the reason that the BFF gives, whether or not Redis is connected', () => {
    const degraded = (redis: object) => ({ details: { redis: { status: 'degraded', ...redis } } });
    expect(redisTroubleIn(degraded({ connection: 'down', reason: refused }))).toBe(refused);
    expect(redisTroubleIn(degraded({ connection: 'up', reason: 'is a replica' }))).toBe('is a replica');
  });

  it('is trouble, too, when the BFF says nothing', () => {
    expect(redisTroubleIn(undefined)).toMatch(/does not say/);
    expect(redisTroubleIn({ statusCode: 500 })).toMatch(/does not say/);
  });
});

describe('what npm start says at its end', () => {
  it('names the embedded store where no Redis is configured', () => {
    const text = welcome({});
    expect(text).toMatch(/ready \(4\.2 s\)\.\n/);
    expect(text).toMatch(/Store {4}embedded/);
    expect(text).not.toMatch(/Worker|NOTHING/);
  });

  it('names Redis, the worker and every log where Redis is in use', () => {
    const text = welcome({ REDIS_URL: 'redis://127.0.0.1:6379' });
    expect(text).toMatch(/Store {4}Redis, shared by all processes/);
    for (const log of ['bff-3000', 'cdc-worker-3100', 'sandbox-4000']) expect(text).toContain(`/logs/${log}.log`);
    expect(text).not.toMatch(/NOTHING|not live/);
  });

  it('says that nothing is cached, why, and what to do, in place of a shared store', () => {
    const env = { REDIS_URL: 'redis://someone:s3cr3t@127.0.0.1:6379' };
    const text = welcome(env, { redisTrouble: refused, eventsAreLive: false });
    expect(text).toMatch(/ready \(4\.2 s\), but without Redis: NOTHING IS CACHED\.\n/);
    expect(text).toContain(`Store    none. Redis cannot be used: ${refused}\n`);
    expect(text).toMatch(
      /takes it up by itself.*[\s\S]*correct REDIS_URL, start again.*[\s\S]*start without REDIS_URL\./,
    );
    expect(text).toMatch(/steps below show no cache/);
    expect(text).not.toMatch(/shared by all|not live yet|s3cr3t/);
  });

  it.each([
    [{ REDIS_SENTINELS: 'a:26379', REDIS_SENTINEL_NAME: 'main' }, 'REDIS_SENTINELS'],
    [{ REDIS_CLUSTER_NODES: 'a:6379' }, 'REDIS_CLUSTER_NODES'],
  ])('names the variables that hold the address and the password: %j', (env, variable) => {
    const text = welcome(env, { redisTrouble: refused, eventsAreLive: false });
    expect(text).toContain(`correct ${variable} or REDIS_PASSWORD`);
    expect(text).toContain(`start without ${variable}.`);
  });

  it('sends to the worker for events that are not live although Redis is in use, and to the BFF without a worker', () => {
    const redis = { REDIS_URL: 'redis://127.0.0.1:6379' };
    const at = (port: number) => `not live yet: see http://127.0.0.1:${port}/health/sf-events`;
    expect(welcome(redis, { eventsAreLive: false })).toContain(at(3100));
    expect(welcome({}, { eventsAreLive: false })).toContain(at(3000));
    expect(welcome({ SF_EVENTS_ENABLED: 'false' })).toMatch(/switched off \(SF_EVENTS_ENABLED\)/);
  });
});

describe('[C5] the keys of a checkout', () => {
  const redis = { REDIS_URL: 'redis://127.0.0.1:6379' };
  let folder: string;
  beforeEach(() => {
    folder = join(mkdtempSync(join(tmpdir(), 'evergreen-keys-')), 'start');
  });
  afterEach(() => rmSync(dirname(folder), { recursive: true, force: true }));

  it('are made once, for every program that is started there, and are no published ones', () => {
    const keys = ownKeys(redis, folder);
    expect(ownKeys({ ...redis, PORT: '3001' }, folder)).toEqual(keys);
    const { cache, auth } = loadConfig({ ...redis, ...keys });
    expect(cache.usesDemoEncryptionKey).toBe(false);
    expect(auth.pseudonymKey).toBe(keys['PSEUDONYM_KEY']);
    expect([cache.encryptionKeys[0]?.base64, demoEncryptionKey.base64]).not.toContain(auth.pseudonymKey);
    expect(readdirSync(folder)).toEqual(['keys.env']);
    if (process.platform !== 'win32') expect(statSync(join(folder, 'keys.env')).mode & 0o777).toBe(0o600);
  });

  it('give way to those that are set', () => {
    expect(Object.keys(ownKeys({ ...redis, CACHE_ENCRYPTION_KEYS: 'mine' }, folder))).toEqual(['PSEUDONYM_KEY']);
    expect(ownKeys({ ...redis, CACHE_ENCRYPTION_KEYS: 'mine', PSEUDONYM_KEY: 'mine' }, folder)).toEqual({});
  });

  it('are none with a real org, whose programs run on several machines', () => {
    expect(ownKeys({ ...redis, SF_LOGIN_URL: 'https://example.my.salesforce.com' }, folder)).toEqual({});
    expect(existsSync(folder)).toBe(false);
  });

  it('are that of pseudonyms alone with the embedded store, the same after a restart', () => {
    const keys = ownKeys({ PORT: '3000', REDIS_URL: '' }, folder);
    expect(Object.keys(keys)).toEqual(['PSEUDONYM_KEY']);
    expect(ownKeys({}, folder)).toEqual(keys);
  });
});

describe('the logs of npm start', () => {
  let folder: string;
  const logs: string[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'evergreen-start-'));
  });
  afterEach(() => [folder, ...logs].forEach((path) => rmSync(path, { recursive: true, force: true })));

  it('are not emptied by another start in the same checkout, which has other ports', async () => {
    const file = join(folder, 'program.mjs');
    writeFileSync(file, "console.log('the words of ' + process.env.WHO); setInterval(() => {}, 1_000);");
    const starts = ['first', 'second'].map((who, index) => {
      const children = new ChildProcesses(() => undefined);
      // Ports below 1024, so that the logs are never those of a real start.
      const log = children.start({ name: 'log-test', port: 11 + index }, file, { WHO: who });
      logs.push(log);
      return { children, who, log };
    });
    try {
      expect(starts.map(({ log }) => basename(log))).toEqual(['log-test-11.log', 'log-test-12.log']);
      for (const { who, log } of starts) {
        const isWritten = () => existsSync(log) && readFileSync(log, 'utf8') === `the words of ${who}\n`;
        await eventually(isWritten, { withinMs: 15_000, what: `the log of the ${who}` });
      }
    } finally {
      await Promise.all(starts.map(({ children }) => children.stop(2_000)));
    }
  });
});
