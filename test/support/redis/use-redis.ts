import { afterAll, beforeAll } from '@jest/globals';
import { Redis } from 'ioredis';
import { startRedisServer, type RedisServer, type RedisServerOptions } from './redis-server.js';

/**
 * A redis-server that runs from before the first test of the surrounding `describe`, or of the file, until after the
 * last one, and a client of it. Read its fields inside of tests and hooks: before, there is no server.
 */
export function useRedis(options: RedisServerOptions = {}): { readonly server: RedisServer; readonly admin: Redis } {
  let server: RedisServer | undefined;
  let admin: Redis | undefined;
  beforeAll(async () => {
    server = await startRedisServer(options);
    admin = new Redis(server.url);
  });
  afterAll(async () => {
    admin?.disconnect();
    await server?.stop();
  });
  const started = <T>(what: T | undefined): T => {
    if (what === undefined) throw new Error('Redis has not started: read this inside of a test or a hook.');
    return what;
  };
  return {
    get server() {
      return started(server);
    },
    get admin() {
      return started(admin);
    },
  };
}
