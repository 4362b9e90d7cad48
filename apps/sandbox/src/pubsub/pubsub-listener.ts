import { createServer, isIP, type AddressInfo, type Server as NetServer, type Socket } from 'node:net';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { PubSub } from './pubsub.js';
import { loadPubSubService } from '@bff/integrations/salesforce/events/pubsub-service';
import type { CertificatePair } from './self-signed-certificate.js';

/** The first byte of a TLS connection: a handshake record (RFC 8446, 5.1). HTTP/2 without TLS begins with `P`. */
const TLS_HANDSHAKE = 0x16;

/**
 * The gRPC port. It takes TLS from everywhere and plaintext from this machine only; a connection's first byte tells
 * which of the two it is.
 */
export class PubSubListener {
  private readonly grpc = new Server();
  private readonly sockets = new Set<Socket>();
  private readonly listener: NetServer;
  /** How many of the next connections are cut on arrival. */
  dropsLeft = 0;

  constructor(pubSub: PubSub, { certificate, key }: CertificatePair) {
    this.grpc.addService(loadPubSubService(), pubSub.implementation());
    const plain = this.grpc.createConnectionInjector(ServerCredentials.createInsecure());
    const pair = { private_key: Buffer.from(key), cert_chain: Buffer.from(certificate) };
    const encrypted = this.grpc.createConnectionInjector(ServerCredentials.createSsl(null, [pair]));
    this.listener = createServer((socket) => {
      this.keep(socket);
      if (this.dropsLeft > 0) {
        this.dropsLeft--;
        socket.destroy();
        return;
      }
      socket.once('readable', () => {
        const first = socket.read(1) as Buffer | null;
        if (first === null) return void socket.destroy();
        socket.unshift(first);
        if (first[0] === TLS_HANDSHAKE) encrypted.injectConnection(socket);
        else if (isLoopback(socket.remoteAddress)) plain.injectConnection(socket);
        else socket.destroy();
      });
    });
  }

  /** Resolves with the port; rejects if it is taken. */
  listen(port: number, host: string): Promise<number> {
    return new Promise((resolve, reject) => {
      this.listener.once('error', reject);
      this.listener.listen(port, host, () => {
        this.listener.removeListener('error', reject);
        resolve((this.listener.address() as AddressInfo).port);
      });
    });
  }

  /** Cuts every open connection, and the `next` ones on arrival. Returns how many were open. */
  drop(next: number): number {
    const { size } = this.sockets;
    this.dropsLeft = next;
    for (const socket of this.sockets) socket.destroy();
    return size;
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.listener.close(() => resolve());
      this.grpc.forceShutdown();
      for (const socket of this.sockets) socket.destroy();
    });
  }

  private keep(socket: Socket): void {
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('error', () => socket.destroy());
  }
}

function isLoopback(address = ''): boolean {
  const plain = address.replace(/^::ffff:/, '');
  return isIP(plain) === 4 ? plain.startsWith('127.') : plain === '::1';
}
