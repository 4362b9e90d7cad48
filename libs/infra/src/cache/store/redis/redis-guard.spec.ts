import { EventEmitter } from 'node:events';
import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { RedisGuard, serverRefusal } from './redis-guard.js';

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

/** A connection whose state and whose server's role the test decides. */
class ScriptedRedis extends EventEmitter {
  readonly options = {};
  status = 'ready';
  role = 'master';
  infos = 0;

  get client(): Redis {
    return this as unknown as Redis;
  }

  info(): Promise<string> {
    this.infos++;
    return Promise.resolve(info('7.0.15', 'noeviction', this.role));
  }
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
    ['a cluster', failed('ClusterAllFailedError', 'Failed to refresh slots cache.', { lastNodeError: failed('x', 'y') })],
  ])('holds no keys and no values: %s', async (_, error) => {
    const reason = await handedOn(error);
    const told = inspect(reason, { depth: Infinity, showHidden: true }) + JSON.stringify([reason, reason.cause]);
    expect(told).not.toContain('of-a-customer');
  });

  it('keeps its name, message and stack', async () => {
    const { name, message, stack } = await handedOn(failed('ReplyError', 'WRONGTYPE Operation against a key'));
    expect({ name, message }).toEqual({ name: 'ReplyError', message: 'WRONGTYPE Operation against a key' });
    expect(stack).toBe('ReplyError: WRONGTYPE Operation against a key\n    at somewhere');
    expect((await handedOn(failed('ReplyError', unknown))).message).toBe("ERR unknown command 'MGET'");
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
