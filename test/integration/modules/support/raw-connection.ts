import { connect, type AddressInfo, type Socket } from 'node:net';
import type { Portal } from './portal.js';

/** Lets the portal listen on a free port of this machine, and returns the port. */
export async function listeningPort({ app }: Portal): Promise<number> {
  await app.listen(0, '127.0.0.1');
  return (app.getHttpServer().address() as AddressInfo).port;
}

/** Opens a connection and sends this text. What the server does to the connection is no error. */
export function rawConnection(port: number, text: string): Socket {
  const socket = connect(port, '127.0.0.1', () => socket.write(text));
  return socket.on('error', () => undefined);
}

/** Sends this text and resolves with all that the server answers until it ends the connection. */
export function rawAnswer(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = rawConnection(port, text);
    socket.on('data', (chunk) => (answer += chunk.toString())).on('close', () => resolve(answer));
  });
}

/** Sends this text and resolves with the head of the answer, as soon as it is there. */
export function rawHead(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = rawConnection(port, text);
    const end = () => resolve(answer.split('\r\n\r\n', 1)[0] as string);
    socket.on('close', end).on('data', (chunk) => {
      answer += chunk.toString();
      if (answer.includes('\r\n\r\n')) socket.destroy();
    });
  });
}
