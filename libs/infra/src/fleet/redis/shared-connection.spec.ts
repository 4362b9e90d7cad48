import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { StoreUnavailableError, TermOverError } from '../../cache/cache.errors.js';
import type { RedisClient } from '../../redis/redis-client.js';
import { SharedConnection } from './shared-connection.js';

const connectionOf = (status = 'ready') => new SharedConnection({ status } as RedisClient);
const replyError = (message: string) =>
  Object.assign(new Error(message), { name: 'ReplyError', command: { args: ['key-of-a-customer'] } });
const failed = (error: Error) =>
  connectionOf()
    .run(() => Promise.reject(error))
    .catch((reason: unknown) => reason);

describe('a connection that is shared with the cache', () => {
  it('hands the reply on', async () => {
    expect(await connectionOf().run(({ status }) => Promise.resolve(status))).toBe('ready');
  });

  it('is sent nothing while it is away, and says so', async () => {
    const sent: string[] = [];
    const send = () => Promise.resolve(sent.push('sent'));
    await expect(connectionOf('reconnecting').run(send)).rejects.toThrow('the connection to Redis is reconnecting');
    const closed = connectionOf();
    closed.close();
    await expect(closed.run(send)).rejects.toBeInstanceOf(StoreUnavailableError);
    expect(sent).toEqual([]);
  });

  it.each([
    [replyError('READONLY You cannot write against a read only replica.'), /^Redis refused: READONLY/],
    [replyError("NOPERM this user has no permissions to run the 'hset' command"), /^Redis refused: NOPERM/],
    [Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }), /^Redis did not answer: read ECONNRESET$/],
    [new Error('Command timed out'), /^Redis did not answer: Command timed out$/],
  ])('gives no answer, and shows no key: %s', async (error, message) => {
    const reason = await failed(error);
    expect(reason).toBeInstanceOf(StoreUnavailableError);
    expect((reason as Error).message).toMatch(message);
    expect(inspect(reason, { depth: Infinity, showHidden: true })).not.toContain('of-a-customer');
  });

  it('lets defects and errors of the fleet pass as they are', async () => {
    for (const error of [new TypeError('ours'), new TermOverError('consumer')]) expect(await failed(error)).toBe(error);
    const wrong = await failed(replyError('WRONGTYPE Operation against a key'));
    expect(wrong).toMatchObject({ name: 'ReplyError', message: 'WRONGTYPE Operation against a key' });
    expect(wrong).not.toHaveProperty('command');
  });
});
