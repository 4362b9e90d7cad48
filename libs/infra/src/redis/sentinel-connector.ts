import { createConnection } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { AbstractConnector } from 'ioredis';
import { retryDelayMs } from './retry-delay.js';
import type { SentinelWatch } from './sentinel-watch.js';

type Stream = Awaited<ReturnType<AbstractConnector['connect']>>;
type ErrorEmitter = Parameters<AbstractConnector['connect']>[0];

/** As ioredis waits for an end that the other side does not confirm. */
const DISCONNECT_MS = 2_000;

/**
 * Connects to the primary that most Sentinels name, and leaves it as soon as they name another. ioredis has a connector of its
 * own for this (5.11.1), with three faults: it asks one Sentinel after the other, seconds for each that stands still; it
 * believes whichever answers first, also one that has slept and names the primary of then; and its watch over the last
 * connection, when a failover is told while the next one is being made, ends the client for ever.
 */
export function sentinelConnector(watch: SentinelWatch, tls: ConnectionOptions | undefined) {
  return class SentinelConnector extends AbstractConnector {
    constructor() {
      super(DISCONNECT_MS);
    }

    /** A replica that was asked for as a primary: it was deposed a moment ago, or the Sentinels are about to follow. */
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
      throw new Error('Connection is closed.'); // by its owner, as ioredis words it
    }

    #open({ host, port }: { readonly host: string; readonly port: number }): Stream {
      const stream = tls ? connectTls({ ...tls, host, port }) : createConnection({ host, port });
      this.stream = stream;
      stream.once('error', (error: Error) => (this.firstError = error));
      const unfollow = watch.follow({ host, port, leave: () => stream.destroy() });
      stream.once('close', unfollow);
      return stream;
    }
  };
}
