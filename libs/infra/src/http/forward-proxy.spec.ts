import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { BoundedHttp } from './bounded-http.js';
import { forwardProxyFor } from './forward-proxy.js';

describe('a forward proxy', () => {
  const before = { ...process.env };
  let target: Server;
  let proxy: Server;
  let asked: string[];

  const listening = async (server: Server): Promise<Server> => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return server;
  };
  const portOf = (server: Server): number => (server.address() as AddressInfo).port;
  const ask = () =>
    new BoundedHttp(forwardProxyFor).ask({
      url: `http://127.0.0.1:${portOf(target)}/x`,
      method: 'GET',
      isRead: true,
      timeoutMs: 10_000,
      bytesMax: 1_000,
    });

  beforeEach(async () => {
    asked = [];
    target = await listening(createServer((_, response) => void response.end('"yes"')));
    proxy = createServer().on('connect', ({ url = '' }, socket) => {
      asked.push(url);
      const [host = '', port] = url.split(':');
      const onward = connect(Number(port), host, () => {
        socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
        onward.pipe(socket).pipe(onward);
      });
      onward.on('error', () => socket.destroy());
      socket.on('error', () => onward.destroy());
    });
    await listening(proxy);
    for (const name of Object.keys(process.env)) if (/_proxy$/i.test(name)) delete process.env[name];
  });

  afterEach(async () => {
    process.env = { ...before };
    for (const server of [target, proxy]) {
      server.closeAllConnections();
      server.close();
    }
  });

  it('is gone through where the usual variables name one', async () => {
    process.env['http_proxy'] = `http://127.0.0.1:${portOf(proxy)}`;
    expect((await ask()).body).toBe('"yes"');
    expect(asked).toEqual([`127.0.0.1:${portOf(target)}`]);
  });

  it('is left alone for what no_proxy names, and where there is none', async () => {
    expect((await ask()).body).toBe('"yes"');
    process.env['http_proxy'] = `http://127.0.0.1:${portOf(proxy)}`;
    process.env['no_proxy'] = '127.0.0.1';
    expect((await ask()).body).toBe('"yes"');
    expect(asked).toEqual([]);
  });
});
