import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { NotAcknowledgedError, SandboxClient } from './sandbox-client.js';

let server: Server;
let client: SandboxClient;
/** The status of the next answers of the addresses that issue tokens; 0 cuts the connection. */
let tokenStatus: number;
let asked: string[];

beforeEach(async () => {
  tokenStatus = 200;
  asked = [];
  server = createServer(({ url = '', headers, socket }, response) => {
    asked.push(`${url} ${headers.authorization ?? ''}`);
    if (!url.startsWith('/demo/')) response.end('{"records":[]}');
    else if (tokenStatus === 0) socket.destroy();
    else response.writeHead(tokenStatus).end(tokenStatus === 200 ? 'a-token' : 'a fault says so');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  client = new SandboxClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
afterEach(async () => {
  client.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

it.each([
  [503, /GET \/demo\/salesforce-token: 503 a fault says so; look at the log of the sandbox at http/],
  [0, /no token, (socket hang up|read ECONNRESET)[^]*; look at the log of the sandbox at http/],
])(
  'a sign-in that fails (%i) sends nothing, says what to look at, and is made anew at the next call',
  async (status, text) => {
    tokenStatus = status;
    const failure = await client.rest('PATCH', '/sobjects/Order/1', {}).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(NotAcknowledgedError);
    expect((failure as Error).message).toMatch(text);
    expect(asked.filter((each) => !each.startsWith('/demo/'))).toEqual([]);
    await expect(client.customerToken(1)).rejects.toThrow(/no token.*look at the log/);
    tokenStatus = 200;
    expect(await client.query('SELECT Id FROM Order')).toEqual([]);
    expect(asked.at(-1)).toMatch(/^\/services\/data.* Bearer a-token$/);
  },
);
