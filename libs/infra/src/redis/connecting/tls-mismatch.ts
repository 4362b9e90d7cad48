import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { HostAndPort } from './redis-address.js';

/** How long the server may take to show what it speaks. */
const ANSWER_MS = 1_000;

/** How a connection fails that speaks TLS to a server that does not, and the other way round. */
const SUSPICIOUS =
  /timeout|timed ?out|ECONNRESET|EPIPE|Connection is closed|socket|wrong version number|Protocol error/i;

/** Whether a connection between TLS and plain Redis can fail with this error. */
export function mayBeTlsMismatch({ message }: Error): boolean {
  return SUSPICIOUS.test(message);
}

/**
 * Asks the server what it speaks, and says what to change if that is not what the connection speaks; undefined if they
 * agree, or the server does not answer. Opens one connection of a second at most, over which no secret goes. Never
 * rejects.
 */
export async function tlsMismatch(server: HostAndPort, usesTls: boolean): Promise<string | undefined> {
  const where = `${server.host}:${server.port}`;
  if (usesTls && (await answersPlain(server))) {
    return `${where} speaks no TLS: write redis:// instead of rediss:// (Sentinels, Cluster: REDIS_TLS=false), or name a port that speaks TLS`;
  }
  if (!usesTls && (await answersTls(server))) {
    return `${where} speaks TLS, and this connection does not: write rediss:// instead of redis:// (Sentinels, Cluster: REDIS_TLS=true)`;
  }
  return undefined;
}

/** Redis answers `+PONG`, or an error that begins with `-`. A server that speaks TLS waits, or sends an alert. */
function answersPlain({ host, port }: HostAndPort): Promise<boolean> {
  const socket = connectPlain(port, host);
  socket.once('connect', () => socket.write('PING\r\n'));
  return verdict(socket, 'data', (data) => /^[+-]/.test(String(data)));
}

/** A finished handshake; the certificate does not matter, because nothing is sent. */
function answersTls({ host, port }: HostAndPort): Promise<boolean> {
  return verdict(connectTls({ host, port, rejectUnauthorized: false }), 'secureConnect', () => true);
}

function verdict(socket: Socket, event: string, judge: (data: unknown) => boolean): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (result: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(result);
    };
    const timer = setTimeout(() => settle(false), ANSWER_MS).unref();
    socket.unref();
    socket.once(event, (data: unknown) => settle(judge(data)));
    socket.on('error', () => settle(false)); // also after the verdict, when nobody waits any more
    socket.once('close', () => settle(false));
  });
}
