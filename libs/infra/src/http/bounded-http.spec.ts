import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { BoundedHttp, type HttpQuestion } from './bounded-http.js';
import { HttpFaultError } from './http-fault.js';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

describe('HTTP with bounds', () => {
  let http: BoundedHttp;
  let server: Server;
  let answer: Answer;
  let asked: { method: string; path: string; body: string }[];

  const url = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const read = (more: Partial<HttpQuestion> = {}): HttpQuestion => ({
    url: `${url()}/x`,
    method: 'GET',
    isRead: true,
    timeoutMs: 10_000,
    bytesMax: 1_000,
    ...more,
  });

  async function fault(question: HttpQuestion): Promise<HttpFaultError> {
    const error = await http.ask(question).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(HttpFaultError);
    return error as HttpFaultError;
  }

  beforeEach(async () => {
    http = new BoundedHttp();
    asked = [];
    answer = (_, response) => void response.end('"yes"');
    server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        asked.push({ method: request.method ?? '', path: request.url ?? '', body });
        answer(request, response);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });

  afterEach(async () => {
    http.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it('gives any status with its text, a byte order mark taken off', async () => {
    answer = (_, response) => void response.writeHead(418, { 'x-tea': 'green' }).end('\uFEFF{"é":1}');
    expect(await http.ask(read())).toMatchObject({ status: 418, headers: { 'x-tea': 'green' }, body: '{"é":1}' });
  });

  it.each([
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
  ])('unpacks %s, and counts what it unpacks', async (encoding, pack) => {
    const packed = (bytes: number): Answer => {
      const body = pack(Buffer.alloc(bytes, 'a'));
      return (_, response) => void response.writeHead(200, { 'content-encoding': encoding }).end(body);
    };
    answer = packed(1_000);
    expect((await http.ask(read())).body).toHaveLength(1_000);
    answer = packed(10_000_000); // packed, they are at most some kilobytes on the wire
    expect(await fault(read())).toMatchObject({ kind: 'too-large', message: expect.stringContaining('1000 bytes') });
  });

  it('[C9] stops reading an answer without end', async () => {
    let sent = 0;
    answer = (_, response) => {
      const push = (): void => {
        while (response.write(Buffer.alloc(65_536)) && !response.destroyed) sent += 65_536;
        if (!response.destroyed) response.once('drain', push);
      };
      push();
    };
    expect((await fault(read({ bytesMax: 1_000_000 }))).kind).toBe('too-large');
    expect(sent).toBeLessThan(50_000_000);
  });

  it('lets what is under way end by itself when it is closed', async () => {
    answer = (_, response) => {
      http.close();
      response.end('"yes"');
    };
    expect((await http.ask(read())).body).toBe('"yes"');
  });

  it('refuses a packing that it did not ask for', async () => {
    answer = (_, response) => void response.writeHead(200, { 'content-encoding': 'zstd' }).end('x');
    expect((await fault(read())).kind).toBe('broken');
  });

  it.each(['head', 'body'])('ends in time when the %s of the answer never ends', async (part) => {
    answer = (_, response) => {
      if (part === 'body') response.writeHead(200).write('{');
    };
    expect((await fault(read({ timeoutMs: 500 }))).kind).toBe('timeout');
    expect(asked).toHaveLength(1);
  });

  it('ends when its caller gives up, before and after it was sent', async () => {
    const giveUp = new AbortController();
    answer = () => giveUp.abort();
    expect((await fault(read({ signal: giveUp.signal }))).kind).toBe('aborted');
    expect((await fault(read({ signal: giveUp.signal }))).kind).toBe('aborted');
    expect(asked).toHaveLength(1);
  });

  it('says that an answer broke off, and does not ask again', async () => {
    answer = (_, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('{', () => response.destroy());
    };
    expect((await fault(read())).kind).toBe('broken');
    expect(asked).toHaveLength(1);
  });

  describe('a kept connection that the server closes', () => {
    /** Answers the first request of a connection, and closes it without a reply at the second. */
    function closeAtTheSecond(): void {
      const used = new WeakSet<Socket>();
      answer = ({ socket }, response) => {
        if (used.has(socket)) return void socket.destroy();
        used.add(socket);
        response.end('"yes"');
      };
    }

    it('[B7] costs no read of 200', async () => {
      closeAtTheSecond();
      for (let i = 0; i < 200; i += 1) expect((await http.ask(read())).body).toBe('"yes"');
      expect(asked.length).toBeGreaterThan(200); // some requests met a closed connection
    });

    it('[B7] costs no read of 200, four at a time, when it is closed while it is idle', async () => {
      answer = ({ socket }, response) => {
        response.setHeader('keep-alive', 'timeout=60');
        response.end('"yes"', () => void setTimeout(() => socket.destroy(), Math.random() * 4));
      };
      for (let i = 0; i < 50; i += 1) await Promise.all([1, 2, 3, 4].map(() => http.ask(read())));
    });

    it('[B7] is not used for a write, and a write is not repeated', async () => {
      closeAtTheSecond();
      const write = { method: 'POST', body: 'x', isRead: false };
      await http.ask(read());
      for (let i = 0; i < 5; i += 1) expect((await http.ask(read(write))).status).toBe(200);
      expect(asked).toHaveLength(6);
      answer = ({ socket }) => void socket.destroy();
      expect((await fault(read(write))).kind).toBe('unreachable');
      expect(asked).toHaveLength(7);
    });

    it('is tried once more, not without end', async () => {
      answer = ({ socket }) => void socket.destroy();
      expect((await fault(read())).kind).toBe('unreachable');
      expect(asked).toHaveLength(2);
    });
  });

  describe('a redirect', () => {
    const to =
      (location: string, status = 302): Answer =>
      ({ url: path }, response) =>
        path === '/x' ? void response.writeHead(status, { location }).end('<html>') : void response.end('"there"');

    it('is followed within the host', async () => {
      answer = to('/y');
      expect((await http.ask(read())).body).toBe('"there"');
      answer = to('/y', 307);
      await http.ask(read({ method: 'POST', body: 'form' }));
      expect(asked.at(-1)).toEqual({ method: 'POST', path: '/y', body: 'form' });
    });

    it('[B8] to another host is refused, which hears nothing', async () => {
      const other = createServer((_, response) => void response.end('"thief"'));
      await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
      let heard = 0;
      other.on('connection', () => (heard += 1));
      const { port } = other.address() as AddressInfo;
      for (const status of [301, 302, 303, 307, 308]) {
        answer = to(`http://127.0.0.1:${port}/y?token=abc`, status);
        const error = await fault(read({ headers: { authorization: 'Bearer secret' } }));
        expect(error.kind).toBe('redirected');
        expect(error.message).toContain(`http://127.0.0.1:${port}: not followed`);
        expect(error.message).not.toContain('abc');
      }
      expect(heard).toBe(0);
      await new Promise((resolve) => other.close(resolve));
    });

    it('of a write, or one that would lose what a POST sends, is refused', async () => {
      answer = to('/y', 307);
      expect((await fault(read({ method: 'POST', isRead: false }))).kind).toBe('redirected');
      answer = to('/y', 302);
      expect((await fault(read({ method: 'POST' }))).kind).toBe('redirected');
      expect(asked.map(({ path }) => path)).toEqual(['/x', '/x']);
    });

    it('in a circle ends', async () => {
      answer = to('/x');
      expect((await fault(read())).kind).toBe('redirected');
      expect(asked).toHaveLength(4);
    });
  });
});
