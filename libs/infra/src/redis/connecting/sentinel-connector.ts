import { setTimeout as delay } from 'node:timers/promises';
import type { ConnectionOptions } from 'node:tls';
import { AbstractConnector } from 'ioredis';
import { retryDelayMs } from '../lasting-redis.js';
import type { SentinelWatch } from './sentinel-watch.js';
import { DISCONNECT_MS, openStream } from './server-connector.js';

type Stream = Awaited<ReturnType<AbstractConnector['connect']>>;
type ErrorEmitter = Parameters<AbstractConnector['connect']>[0];

/**
 * Connects to the primary that the `SentinelWatch` finds, and leaves it when the watch says so. The connector of
 * ioredis (5.11.1) has three faults. It asks the Sentinels one after the other, and loses seconds at each that hangs.
 * It believes the first answer, even from a Sentinel that slept and names an old primary. Its watch over the last
 * connection ends the client for good when a failover is announced while the next connection is being made.
 */
export function sentinelConnector(
  watch: SentinelWatch,
  tls: ConnectionOptions | undefined,
): new () => AbstractConnector {
  return class SentinelConnector extends AbstractConnector {
    constructor() {
      super(DISCONNECT_MS);
    }

    /** Rejects a replica that the Sentinels still name: it was deposed, a moment ago or without their knowledge. */
    override check({ role }: { readonly role?: string }): boolean {
      return role === undefined || role === 'master';
    }

    override async connect(emit: ErrorEmitter): Promise<Stream> {
      this.connecting = true;
      for (let attempt = 1; this.connecting; attempt += 1) {
        const primary = await watch.findPrimary().catch((error: Error) => emit('error', error));
        if (!this.connecting) break;
        if (primary) return this.#open(primary);
        await delay(retryDelayMs(attempt));
      }
      throw new Error('Connection is closed.'); // its owner ended it; the words are ioredis' own
    }

    #open({ host, port }: { readonly host: string; readonly port: number }): Stream {
      const stream = openStream({ host, port }, tls);
      this.stream = stream;
      stream.once('error', (error: Error) => (this.firstError = error));
      const unfollow = watch.follow({ host, port, leave: () => stream.destroy() });
      stream.once('close', unfollow);
      return stream;
    }
  };
}
