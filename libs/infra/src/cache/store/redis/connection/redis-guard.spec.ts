import { EventEmitter } from 'node:events';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Redis } from 'ioredis';
import { Refusals } from '../../../../redis/refusals.js';
import { RedisGuard, type ServerCheck } from './redis-guard.js';
import { serverRefusal } from './server-refusal.js';

const info = (version: string, policy: string, role = 'master') =>
  `# Server\r\nredis_version:${version}\r\n# Memory\r\nmaxmemory_policy:${policy}\r\n# Replication\r\nrole:${role}\r\n`;

describe('a server that must not be used', () => {
  it.each(['noeviction', 'volatile-lru', 'volatile-lfu', 'volatile-ttl', 'volatile-random'])('%s is fine', (policy) => {
    expect(serverRefusal(info('7.0.15', policy))).toBeUndefined();
  });

  it.each(['allkeys-lru', 'allkeys-lfu', 'allkeys-random'])('%s may evict the index', (policy) => {
    expect(serverRefusal(info('7.2.0', policy))).toMatchObject({
      reason: expect.stringMatching(new RegExp(`${policy}.*noeviction`)),
      isPassing: false,
    });
  });

  it('an old version is named', () => {
    expect(serverRefusal(info('6.2.14', 'noeviction'))?.reason).toMatch(/6\.2\.14.*7\.0/);
  });

  it('a replica may become the primary, so it is only refused for now', () => {
    expect(serverRefusal(info('7.0.15', 'noeviction', 'slave'))).toMatchObject({ isPassing: true });
  });
});

/** A connection whose state and server role the test sets. */
class ScriptedRedis extends EventEmitter {
  readonly options = {};
  status = 'ready';
  role = 'master';
  infos = 0;
  /** If set, the server refuses `INFO` with this error. */
  refusesInfo: Error | undefined;

  get client(): Redis {
    return this as unknown as Redis;
  }

  info(): Promise<string> {
    this.infos++;
    if (this.refusesInfo) return Promise.reject(this.refusesInfo);
    return Promise.resolve(info('7.0.15', 'noeviction', this.role));
  }

  away(): void {
    this.status = 'reconnecting';
    this.emit('close');
  }

  back(): void {
    this.status = 'ready';
    this.emit('ready');
  }

  /** The answer of a server that is now a replica to a command that writes. */
  static readonly readonly = (): Promise<never> =>
    Promise.reject(replyError("READONLY You can't write against a read only replica."));
}

function replyError(message: string): Error {
  return Object.assign(new Error(message), { name: 'ReplyError' });
}

describe('an error that the guard hands on', () => {
  const failed = (name: string, message: string, fields: object = {}) => {
    const command = { name: 'set', args: ['key-of-a-customer', 'value-of-a-customer'] };
    const error = Object.assign(new Error(message), { command, ...fields });
    Object.defineProperty(error, 'name', { value: name });
    error.stack = `${name}: ${message}\n    at somewhere`;
    return error;
  };
  const handedOn = async (error: Error): Promise<Error> => {
    const guard = new RedisGuard(new ScriptedRedis().client);
    await guard.open();
    const [run, asked] = await Promise.allSettled([
      guard.run(() => Promise.reject(error)),
      guard.ask(
        () => Promise.reject(error),
        () => undefined,
      ),
    ]);
    guard.close();
    expect(asked).toEqual(run);
    return (run as PromiseRejectedResult).reason as Error;
  };
  const unknown = "ERR unknown command 'MGET', with args beginning with: 'key-of-a-customer' 'value-of-a-customer' ";

  it.each([
    ['a defect', failed('ReplyError', 'WRONGTYPE Operation against a key')],
    ['a server that cannot just now', failed('ReplyError', 'LOADING Redis is loading the dataset in memory')],
    ['a command that was sent and lost', failed('AbortError', 'Command aborted due to connection close')],
    ['a command that the server does not know', failed('ReplyError', unknown)],
    [
      'a cluster',
      failed('ClusterAllFailedError', 'Failed to refresh slots cache.', { lastNodeError: failed('x', 'y') }),
    ],
  ])('holds no keys and no values: %s', async (_, error) => {
    const reason = await handedOn(error);
    const told = inspect(reason, { depth: Infinity, showHidden: true }) + JSON.stringify([reason, reason.cause]);
    expect(told).not.toContain('of-a-customer');
  });

  it('keeps its name, message and stack', async () => {
    const { name, message, stack } = await handedOn(failed('ReplyError', 'WRONGTYPE Operation against a key'));
    expect({ name, message }).toEqual({ name: 'ReplyError', message: 'WRONGTYPE Operation against a key' });
    expect(stack).toBe('ReplyError: WRONGTYPE Operation against a key\n    at somewhere');
  });

  const lua = 'script: 29b33788f1891be92675cacacd12afb6f1f36bc0, on @user_script:1.';
  it.each([
    [unknown, "ERR unknown command 'MGET'"],
    ["NOPERM this user has no permissions to run the 'mget' command", undefined],
    [`ERR The user executing the script can't run this command or subcommand ${lua}`, undefined],
    [`ERR The user executing the script can't publish to the channel mentioned in the command ${lua}`, undefined],
    [`NOPERM ACL failure in script: User u has no permissions to run the 'set' command ${lua}`, undefined],
    [`ERR Unknown Redis command called from script ${lua}`, undefined],
    ['OOM command not allowed when used memory > maxmemory.', undefined],
    ['-SOMETHING that no Redis has said so far', undefined],
  ])('[B1] says that Redis refused, whatever the words: %s', async (message, words) => {
    const told = words ?? message.replace(` ${lua}`, '');
    expect(await handedOn(failed('ReplyError', message))).toMatchObject({
      code: 'CACHE_STORE_UNAVAILABLE',
      message: `Redis refused: ${told}`,
    });
  });

  it.each([
    `ERR user_script:1: attempt to perform arithmetic on a string value ${lua}`,
    "ERR Error compiling script (new function): user_script:1: '=' expected near '<eof>'",
    `WRONGTYPE Operation against a key holding the wrong kind of value ${lua}`,
    `ERR Wrong number of args calling Redis command from script ${lua}`,
    'ERR syntax error',
  ])('[B1] is as it came where what we sent is wrong: %s', async (message) => {
    expect(await handedOn(failed('ReplyError', message))).toMatchObject({ name: 'ReplyError', message });
  });

  it('names what the system said as the cause, code included', async () => {
    const reason = await handedOn(failed('Error', 'read ECONNRESET', { code: 'ECONNRESET' }));
    expect(reason).toMatchObject({
      code: 'CACHE_STORE_UNAVAILABLE',
      message: 'Redis did not answer: read ECONNRESET',
      cause: { name: 'Error', message: 'read ECONNRESET', code: 'ECONNRESET' },
    });
  });
});

describe('a guard and its server', () => {
  let redis: ScriptedRedis;
  const guards: RedisGuard[] = [];
  const guardOf = (check?: ServerCheck): RedisGuard => {
    const guard = new RedisGuard(redis.client);
    const open = guard.open.bind(guard);
    guard.open = () => open(check);
    guards.push(guard);
    return guard;
  };
  const answer = (guard: RedisGuard) =>
    guard.run(() => Promise.resolve('answer')).catch((error: Error) => error.message);
  const listeners = () => redis.eventNames().map((name) => [name, redis.listenerCount(name)]);
  const settle = () => jest.advanceTimersByTimeAsync(0);
  beforeEach(() => {
    jest.useFakeTimers();
    redis = new ScriptedRedis();
  });
  afterEach(() => {
    for (const guard of guards.splice(0)) guard.close();
    jest.useRealTimers();
  });

  it('uses a server that was a replica when it is a primary again, however long the connection was away meanwhile', async () => {
    const guard = guardOf();
    await guard.open();
    redis.role = 'slave';
    await guard.run(ScriptedRedis.readonly).catch(() => undefined);
    redis.away();
    await jest.advanceTimersByTimeAsync(60_000);
    redis.role = 'master';
    redis.back();
    await jest.advanceTimersByTimeAsync(250);
    expect(await answer(guard)).toBe('answer');
    await jest.advanceTimersByTimeAsync(25_000);
    expect(redis.infos).toBe(3); // at first, at the refusal, and when the connection was back
  });

  it('looks at a refused server four times a second, however many replies told of it, and no more when it is closed', async () => {
    const guard = guardOf();
    await guard.open();
    redis.role = 'slave';
    await Promise.allSettled(Array.from({ length: 100 }, () => guard.run(ScriptedRedis.readonly)));
    await jest.advanceTimersByTimeAsync(10_000);
    expect(redis.infos).toBe(1 + 1 + 40); // at first, at the refusal, and four a second after it
    expect(await answer(guard)).toMatch(/replica/);
    guard.close();
    expect(jest.getTimerCount()).toBe(0);
  });

  it('takes no notice of a refusal that comes after it was closed', async () => {
    const guard = guardOf();
    await guard.open();
    redis.infos = 0;
    const late = guard.run(ScriptedRedis.readonly).catch((error: Error) => error.message);
    guard.close();
    expect(await late).toMatch(/READONLY/);
    expect({ infos: redis.infos, timers: jest.getTimerCount() }).toEqual({ infos: 0, timers: 0 });
  });

  it('believes the newest look at the server, not one that began before it became a replica and ends after', async () => {
    const ends: (() => void)[] = [];
    const guard = guardOf(() => new Promise((resolve) => ends.push(() => resolve(undefined))));
    const opened = guard.open();
    await settle();
    ends.pop()?.();
    await opened;
    redis.emit('ready');
    await settle();
    redis.role = 'slave';
    await guard.run(ScriptedRedis.readonly).catch(() => undefined);
    ends.pop()?.();
    await settle();
    expect(await answer(guard)).toMatch(/replica/);
  });

  it('sends nothing to the next server before it has been looked at', async () => {
    let adopted = Promise.resolve(undefined);
    const guard = guardOf(() => adopted);
    await guard.open();
    expect(await answer(guard)).toBe('answer');
    let adopt = (_: undefined) => {};
    adopted = new Promise((resolve) => (adopt = resolve));
    redis.away();
    expect(await answer(guard)).toMatch(/reconnecting/);
    redis.back();
    await settle();
    expect(await answer(guard)).toMatch(/looked at before it is used/);
    expect(guard.reason).toMatch(/looked at before it is used/);
    adopt(undefined);
    await settle();
    expect(await answer(guard)).toBe('answer');
  });

  describe('[B2] says why a server is not used', () => {
    const told = () => Refusals.of(redis.client).reasons;
    const refused = (words: string) => () => Promise.reject(replyError(words));

    it('that refuses to be looked at, and tells it once', async () => {
      const heard: unknown[] = [];
      Refusals.of(redis.client).listen((_, reason) => heard.push(reason));
      redis.refusesInfo = replyError('ERR this proxy answers no INFO');
      const guard = guardOf();
      await guard.open();
      await jest.advanceTimersByTimeAsync(5000);
      const reason = `Redis could not be looked at, so it is not used: ${redis.refusesInfo.message}`;
      expect({ reason: guard.reason, answer: await answer(guard), told: told() }).toEqual({
        reason,
        answer: reason,
        told: [`the cache: ${reason}`],
      });
      redis.refusesInfo = undefined;
      await jest.advanceTimersByTimeAsync(250);
      expect({ reason: guard.reason, answer: await answer(guard), told: told(), heard }).toEqual({
        reason: undefined,
        answer: 'answer',
        told: [],
        heard: [reason, undefined],
      });
    });

    it('when its examination fails, also of one that was in use', async () => {
      let examination: () => Promise<undefined> = () => Promise.resolve(undefined);
      const guard = guardOf(() => examination());
      await guard.open();
      examination = refused('NOPERM this user has no permissions to access one of the keys used as arguments');
      await guard.run(refused('NOPERM no')).catch(() => undefined);
      expect(await answer(guard)).toBe('answer'); // perhaps only that command is refused
      await jest.advanceTimersByTimeAsync(250);
      expect(await answer(guard)).toMatch(/could not be looked at.*NOPERM.*keys/);
      examination = () => Promise.resolve(undefined);
      await jest.advanceTimersByTimeAsync(250);
      expect({ answer: await answer(guard), told: told() }).toEqual({ answer: 'answer', told: [] });
    });

    it('and what a server refuses that is used, for as long as it does', async () => {
      const guard = guardOf();
      await guard.open();
      await guard.run(refused('OOM full')).catch(() => undefined);
      await guard.run(refused('NOPERM no')).catch(() => undefined);
      expect(told()).toEqual(['a command: OOM full']);
      await jest.advanceTimersByTimeAsync(250);
      expect(told()).toEqual(['a command: NOPERM no']); // the examination found nothing missing
      expect({ infos: redis.infos, reason: guard.reason }).toEqual({ infos: 2, reason: undefined });
      await jest.advanceTimersByTimeAsync(2000);
      expect(told()).toEqual([]);
    });

    it('looks again four times a second, however many commands are refused', async () => {
      const guard = guardOf();
      await guard.open();
      for (let ms = 0; ms < 5000; ms += 10) {
        await guard.run(refused('NOPERM no')).catch(() => undefined);
        await jest.advanceTimersByTimeAsync(10);
      }
      expect(redis.infos).toBeLessThanOrEqual(1 + 20);
      guard.close();
      expect({ told: told(), timers: jest.getTimerCount() }).toEqual({ told: [], timers: 0 });
    });
  });

  it('looks once at the first server', async () => {
    redis.status = 'connecting';
    let adoptions = 0;
    const guard = guardOf(async () => void adoptions++);
    const opened = guard.open();
    redis.back();
    await opened;
    expect(await answer(guard)).toBe('answer');
    await jest.advanceTimersByTimeAsync(25_000);
    expect({ infos: redis.infos, adoptions }).toEqual({ infos: 1, adoptions: 1 });
    await jest.advanceTimersByTimeAsync(10_000); // its settings alone are looked at again
    expect({ infos: redis.infos, adoptions }).toEqual({ infos: 2, adoptions: 1 });
  });

  it('leaves nothing on a connection that outlives it, and looks at no server any more', async () => {
    const before = listeners();
    for (const status of ['ready', 'connecting', 'ready']) {
      redis.status = status;
      const guard = guardOf();
      const opened = guard.open();
      if (status === 'ready') await opened;
      guard.close();
      await opened; // a guard closed while connecting does not wait for the connection
      expect(await answer(guard)).toBe('the store is closed');
      await guard.open();
    }
    expect(listeners()).toEqual(before);
    const { infos } = redis;
    redis.away();
    redis.back();
    await jest.advanceTimersByTimeAsync(60_000);
    expect(redis.infos).toBe(infos);
  });
});
