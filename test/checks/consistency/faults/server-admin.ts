import { Redis } from 'ioredis';
import { elapse } from '../../../support/eventually.js';
import type { RedisServer } from '../../../support/redis/redis-server.js';

const CONNECT_MS = 30_000;

/** Connections to the servers of a run, which its faults stop and restart: one for each server, made on first use. */
export class ServerAdmin {
  private readonly connections = new Map<number, Redis>();

  /**
   * Sends a command. Resolves with the reply, or with undefined if the server went away before it answered. Rejects if
   * the server refuses the command, which is a defect of the checker, or if no connection is ready within 30 s.
   */
  async ask({ port }: RedisServer, command: string, ...args: (string | number)[]): Promise<unknown> {
    const redis = await this.connected(port);
    return redis.call(command, ...args).catch((error: Error) => {
      if (error.name === 'ReplyError') throw error;
    });
  }

  close(): void {
    for (const redis of this.connections.values()) redis.disconnect();
  }

  private async connected(port: number): Promise<Redis> {
    let redis = this.connections.get(port);
    if (!redis) {
      redis = new Redis({ port, host: '127.0.0.1', retryStrategy: () => 50, maxRetriesPerRequest: 0 });
      redis.on('error', () => undefined);
      this.connections.set(port, redis);
    }
    for (const until = performance.now() + CONNECT_MS; redis.status !== 'ready'; await elapse(10))
      if (performance.now() > until) throw new Error(`the Redis of port ${port} does not answer`);
    return redis;
  }
}
