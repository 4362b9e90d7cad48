import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly body: string;
  readonly headers: IncomingMessage['headers'];
}

export type Answer = (exchange: Exchange, response: ServerResponse) => void;

/** Answers with this body as JSON; `undefined` makes an empty body. */
export function json(body: unknown, status = 200): Answer {
  return (_, response) => {
    response.writeHead(status, {
      'content-type': 'application/json;charset=UTF-8',
      'sforce-limit-info': 'api-usage=18/15000',
    });
    response.end(body === undefined ? '' : JSON.stringify(body));
  };
}

/** A Salesforce over real sockets whose REST answers a test scripts; it issues and checks tokens. */
export class RestDouble {
  readonly exchanges: Exchange[] = [];
  readonly grants: URLSearchParams[] = [];
  answer: Answer = json({});
  answerToken: Answer | undefined;
  /** While set, every token is rejected, new ones included. */
  rejectsTokens = false;
  private readonly server: Server;
  private token = '';

  private constructor() {
    this.server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        const { method = '', url = '', headers } = request;
        this.handle({ method, path: decodeURIComponent(url), body, headers }, response);
      });
    });
  }

  static async start(): Promise<RestDouble> {
    const double = new RestDouble();
    await new Promise<void>((resolve) => double.server.listen(0, '127.0.0.1', resolve));
    return double;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Whether this is the current token. */
  accepts(token: unknown): boolean {
    return this.token !== '' && token === this.token;
  }

  expireToken(): void {
    this.token = '';
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private handle(exchange: Exchange, response: ServerResponse): void {
    if (exchange.path === '/services/oauth2/token') {
      this.grants.push(new URLSearchParams(exchange.body));
      if (this.answerToken !== undefined) return this.answerToken(exchange, response);
      this.token = `00Dxx0000000001!TOKEN${this.grants.length}`;
      const id = `${this.url}/id/00Dxx0000000001EAA/005xx0000000001AAA`;
      return json({ access_token: this.token, instance_url: this.url, id, token_type: 'Bearer' })(exchange, response);
    }
    this.exchanges.push(exchange);
    if (this.rejectsTokens || exchange.headers.authorization !== `Bearer ${this.token}`) {
      return json([{ message: 'Session expired or invalid', errorCode: 'INVALID_SESSION_ID' }], 401)(
        exchange,
        response,
      );
    }
    this.answer(exchange, response);
  }
}
