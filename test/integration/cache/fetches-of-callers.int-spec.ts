import { accountOf, currentCaller, runForCaller, type Caller } from '@bff/infra/callers/caller';
import type { CacheService } from '@bff/infra/cache/cache.service';
import type { Callers } from '@bff/infra/cache/cache.types';
import { createCache, type CreateCacheOptions } from '@bff/infra/cache/create-cache';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { RateLimitedError } from '@bff/infra/limits/limits.errors';
import { deferred, type Deferred } from '../../support/deferred.js';
import { eventually } from '../../support/eventually.js';
import { startRedisServer, type RedisServer } from '../../support/redis/redis-server.js';

const callers: Callers = {
  current: currentCaller,
  run: (caller, work) => runForCaller(caller as Caller | undefined, work),
  groupOf: (caller) => accountOf(caller as Caller | undefined),
};
const options: CreateCacheOptions = { callers };
const KEY = 'catalog:shared';

/** A source that refuses some accounts, and tells for whom it was asked. Each answer waits for the test. */
class MeteredSource {
  readonly askedBy: (string | undefined)[] = [];
  readonly gate: Deferred<void> = deferred();

  constructor(private readonly refused: readonly string[]) {}

  readonly fetch = async (): Promise<string> => {
    const account = currentCaller()?.account;
    this.askedBy.push(account);
    await this.gate.promise;
    if (account !== undefined && this.refused.includes(account)) throw new RateLimitedError('fetch', 7, account);
    return `for all, by ${account}`;
  };
}

let server: RedisServer;
beforeAll(async () => {
  server = await startRedisServer();
});
afterAll(() => server.stop());

describe.each(['embedded', 'Redis', 'Redis away'] as const)('[C2] a fetch that several customers share: %s', (kind) => {
  let here: CacheService;
  let there: CacheService;
  let away: RedisServer | undefined;
  beforeEach(async () => {
    const of = (redisUrl: string) =>
      createCache({ ...options, redisUrl, appName: `callers-${Math.random()}`.slice(0, 30) });
    if (kind === 'Redis away') {
      away = await startRedisServer();
      here = of(away.url);
      await here.open();
      away.pause();
      await eventually(() => here.state().status === 'down');
      there = here;
    } else if (kind === 'Redis') {
      const appName = `callers-${Math.floor(Math.random() * 1e9)}`;
      [here, there] = [1, 2].map(() => createCache({ ...options, redisUrl: server.url, appName })) as [
        CacheService,
        CacheService,
      ];
      await Promise.all([here.open(), there.open()]);
    } else {
      here = createCache(options);
      there = here;
    }
  });
  afterEach(async () => {
    await Promise.all([here.close(), there.close()]);
    await away?.stop();
    away = undefined;
  });

  const read = (cache: CacheService, source: MeteredSource, account: string | undefined) =>
    runForCaller(account === undefined ? undefined : { subject: `user of ${account}`, account }, () =>
      cache.getOrSet(KEY, source.fetch).catch((error: unknown) => (error as RateLimitedError).code),
    );

  it('is refused to those of the account that has used up its limit, and made for the next one', async () => {
    const source = new MeteredSource(['spender']);
    const first = read(here, source, 'spender');
    await eventually(() => source.askedBy.length === 1);
    const others = [
      read(here, source, 'spender'),
      read(here, source, 'honest'),
      read(there, source, 'neighbour'),
      read(there, source, undefined),
    ];
    source.gate.resolve();
    const [again, ...served] = await Promise.all(others);
    expect(await first).toBe('RATE_LIMITED');
    // While the store is away, it arrives too late for the first fetch, and may find that of another customer.
    if (kind !== 'Redis away') expect(again).toBe('RATE_LIMITED');
    for (const value of served) expect(value).toMatch(/^for all, by (honest|neighbour|undefined)$/);
  });

  it('is tried once for each account that is refused, however many of its requests wait', async () => {
    const source = new MeteredSource(['spender', 'other spender']);
    const first = read(here, source, 'spender');
    await eventually(() => source.askedBy.length === 1);
    const waiting = Array.from({ length: 100 }, (_, i) => read(here, source, i % 2 ? 'spender' : 'other spender'));
    const honest = read(here, source, 'honest');
    source.gate.resolve();
    await first;
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['RATE_LIMITED']));
    expect(await honest).toBe('for all, by honest');
    const once = ['spender', 'other spender', 'honest'];
    // While the store is away, they arrive too late for the first fetch, so there is one more.
    expect(source.askedBy).toEqual(kind === 'Redis away' ? ['spender', ...once] : once);
  });

  it('is never kept as a failure', async () => {
    const source = new MeteredSource(['spender']);
    source.gate.resolve();
    expect(await read(here, source, 'spender')).toBe('RATE_LIMITED');
    expect(await read(there, source, 'honest')).toBe('for all, by honest');
    if (kind !== 'Redis away') expect(await read(here, source, 'spender')).toBe('for all, by honest');
  });
});

it('a fetch that an invalidation hands on is made for the caller that gets it', async () => {
  const cache = createCache(options);
  const source = new MeteredSource([]);
  const reading = (account: string) =>
    runForCaller({ subject: account, account }, () => cache.getOrSet(KEY, source.fetch));
  const early = reading('early');
  await eventually(() => source.askedBy.length === 1);
  const late = reading('late'); // joins the fetch under way, and loses it to the invalidation
  await runForCaller({ subject: 'writer', account: 'writer' }, () => cache.del(KEY));
  await eventually(() => source.askedBy.length === 2);
  source.gate.resolve();
  expect([await early, await late]).toEqual(['for all, by early', 'for all, by late']);
  expect(source.askedBy).toEqual(['early', 'late']);
  await cache.close();
});
