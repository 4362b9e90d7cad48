import http, { type Agent, type IncomingHttpHeaders } from 'node:http';
import https from 'node:https';
import { ENCODINGS, readBody } from './answer-body.js';
import { HttpFaultError, toHttpFault } from './http-fault.js';

/** A request, and the limits of its answer. */
export interface HttpQuestion {
  readonly url: string;
  readonly method: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  /**
   * Whether it may be sent twice: a read is retried once if no answer began, and follows redirects; a write does
   * neither.
   */
  readonly isRead: boolean;
  /** How long everything may take: redirects, the second attempt, and the answer to its last byte. */
  readonly timeoutMs: number;
  /** Maximum size of the answer's body after decompression. */
  readonly bytesMax: number;
  readonly signal?: AbortSignal | undefined;
}

/** A whole answer, whatever its status. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Maximum number of redirects that a read follows, all within one origin. */
const REDIRECTS_MAX = 3;

/**
 * Idle connections are closed before a typical server closes them (5 s is the default of Apache and Node), so a request
 * rarely meets a connection that is being closed. It remains possible, hence the second attempt of reads.
 */
const KEPT = { keepAlive: true, timeout: 4_000, maxFreeSockets: 16 };

/**
 * HTTP with a bound on everything an answer can take: time, bytes, redirects, attempts. Rejects only with
 * `HttpFaultError`. Secrets stay with the host that they are meant for: a redirect to another origin is refused.
 *
 * A write gets a connection of its own: on a kept one, a connection that the server has just closed cannot be told from
 * a write that was carried out and never answered. This is why it uses `http.Agent`: undici's fetch keeps connections
 * too, and cannot be made to open a new one for a request.
 */
export class BoundedHttp {
  private readonly kept: { readonly 'http:': Agent; readonly 'https:': Agent };

  /** `agentFor` may name the agent for an origin, such as a forward proxy's; then no connection is kept. */
  constructor(private readonly agentFor: (url: URL) => Agent | undefined = () => undefined) {
    this.kept = { 'http:': new http.Agent(KEPT), 'https:': new https.Agent(KEPT) };
  }

  /** Resolves with the answer, whatever its status; a redirect is followed or refused. */
  async ask(question: HttpQuestion): Promise<HttpAnswer> {
    const { timeoutMs, signal } = question;
    const ending = new AbortController();
    const end = (fault: HttpFaultError): void => ending.abort(fault);
    const overdue = setTimeout(() => {
      end(new HttpFaultError('timeout', `there was no complete answer within ${timeoutMs} ms`));
    }, timeoutMs);
    const onAbort = (): void => end(new HttpFaultError('aborted', 'given up by its caller', { cause: signal?.reason }));
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted) onAbort();
    try {
      return await this.follow(question, ending.signal);
    } catch (error) {
      throw toHttpFault(ending.signal.aborted ? ending.signal.reason : error, 'unreachable', 'it could not be sent');
    } finally {
      clearTimeout(overdue);
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /** Closes idle connections. Requests under way end by themselves, within their time. */
  close(): void {
    for (const { freeSockets } of Object.values(this.kept)) {
      for (const sockets of Object.values(freeSockets)) sockets?.forEach((socket) => socket.destroy());
    }
  }

  private async follow(question: HttpQuestion, ending: AbortSignal): Promise<HttpAnswer> {
    let url = new URL(question.url);
    for (let redirects = 0; ; redirects += 1) {
      const answer = await this.tryTwice(url, question, ending);
      const target = redirectOf(answer, url);
      if (target === undefined) return answer;
      refuseRedirect(question, answer.status, url, target);
      if (redirects === REDIRECTS_MAX) throw redirected(`it redirects more than ${REDIRECTS_MAX} times`);
      url = target;
    }
  }

  private async tryTwice(url: URL, question: HttpQuestion, ending: AbortSignal): Promise<HttpAnswer> {
    const fresh = this.agentFor(url) ?? false;
    if (!question.isRead) return exchange(url, question, fresh, ending);
    const kept = fresh || this.kept[url.protocol === 'https:' ? 'https:' : 'http:'];
    try {
      return await exchange(url, question, kept, ending);
    } catch (error) {
      const hasNotBegun = error instanceof HttpFaultError && error.kind === 'unreachable';
      if (!hasNotBegun || ending.aborted) throw error;
      return exchange(url, question, fresh, ending);
    }
  }
}

/** One request on a connection of the agent; `false` opens a new connection. */
function exchange(
  url: URL,
  { method, headers, body, bytesMax }: HttpQuestion,
  agent: Agent | false,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const { request } = url.protocol === 'https:' ? https : http;
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const sent = request(url, {
      method,
      agent,
      signal,
      headers: { accept: 'application/json', ...headers, 'accept-encoding': ENCODINGS, ...length },
    });
    let hasBegun = false;
    sent.on('response', (response) => {
      hasBegun = true;
      const { statusCode = 0, headers } = response;
      readBody(response, bytesMax).then((body) => resolve({ status: statusCode, headers, body }), reject);
    });
    // No effect once the answer has begun: `readBody` then rejects with its own reason.
    sent.on('error', (error) => {
      if (!hasBegun) reject(toHttpFault(error, 'unreachable', 'it got no answer'));
    });
    sent.end(body);
  });
}

/** The redirect target; undefined if the answer is no redirect. */
function redirectOf({ status, headers }: HttpAnswer, from: URL): URL | undefined {
  if (![301, 302, 303, 307, 308].includes(status) || headers.location === undefined) return undefined;
  if (!URL.canParse(headers.location, from.href)) throw redirected('it redirects to what is no address');
  return new URL(headers.location, from);
}

function refuseRedirect({ isRead, method }: HttpQuestion, status: number, from: URL, target: URL): void {
  if (target.origin !== from.origin) throw redirected(`it redirects to another host, ${target.origin}: not followed`);
  const keepsItsForm = method === 'GET' || status === 307 || status === 308;
  if (!isRead || !keepsItsForm) throw redirected(`it redirects a ${method} to another path: not followed`);
}

function redirected(message: string): HttpFaultError {
  return new HttpFaultError('redirected', message);
}
