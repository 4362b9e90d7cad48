import { createConnection, type NetConnectOpts, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { AbstractConnector, type RedisOptions } from 'ioredis';

/** How long a connection that was ended may stay open before it is destroyed: the default of ioredis. */
export const DISCONNECT_MS = 2_000;

/**
 * Opens a connection whose errors are always listened to. ioredis (5.11.1) listens to the first one alone, and a TLS
 * connection that is ended during its handshake may have two: the certificate is not trusted, and the server answers the
 * end with an alert. The second one would end the process.
 */
export function openStream(to: NetConnectOpts, tls: ConnectionOptions | undefined): Socket | TLSSocket {
  const stream = tls ? connectTls({ ...to, ...tls }) : createConnection(to);
  stream.on('error', () => undefined); // ioredis reports the first error
  return stream;
}

/** Connects to the server that the options name, as the connector of ioredis does, by `openStream`. */
export class ServerConnector extends AbstractConnector {
  readonly #options: RedisOptions;

  /** ioredis passes its options; its type says `unknown`. */
  constructor(options: unknown) {
    super(DISCONNECT_MS);
    this.#options = options as RedisOptions;
  }

  override async connect(): Promise<Socket | TLSSocket> {
    const { host = 'localhost', port = 6379, path, family, tls } = this.#options;
    this.connecting = true;
    await Promise.resolve(); // the caller may end the client in the turn in which it connects
    if (!this.connecting) throw new Error('Connection is closed.'); // the words are ioredis' own
    this.stream = openStream(path ? { path } : { host, port, ...(family ? { family } : {}) }, tls);
    this.stream.once('error', (error: Error) => (this.firstError = error));
    return this.stream;
  }
}
