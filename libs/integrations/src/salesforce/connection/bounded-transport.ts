import { PassThrough } from 'node:stream';
import type { BoundedHttp, HttpAnswer } from '@bff/infra/http/bounded-http';
import { HttpFaultError } from '@bff/infra/http/http-fault';
import { jsonOf } from '@bff/infra/http/json-body';
import type { HttpRequest, HttpRequestOptions, HttpResponse } from 'jsforce/lib/types/index.js';
import { Transport } from 'jsforce/lib/transport.js';
import { StreamPromise } from 'jsforce/lib/util/promise.js';
import { z } from 'zod';
import { pause } from '../events/back-off.js';
import { codeOfForeignAnswer, errorOfFault, SalesforceError } from '../salesforce.errors.js';

/**
 * Statuses of a failure that usually passes, such as a server that is being replaced. A GET with such an answer is sent
 * once more.
 */
const PASSING: ReadonlySet<number> = new Set([500, 502, 503, 504]);
const PAUSE_MS = 100;

/**
 * Parts of 401 answers that a new token does not cure (the list of jsforce): usually the settings of the connected app
 * or the IP restrictions of the org must change.
 */
const LASTING = ['Connected app is not attached to Agent', 'This session is not valid for use with the REST API'];

const REASON = z.object({ errorCode: z.string(), message: z.string() });

/** The limits of one request: its time, and the size of its answer. */
export interface TransportLimits {
  readonly requestTimeoutMs: number;
  readonly answerBytesMax: number;
}

/** The org rejected the token of this request; a new token may be accepted. */
export class TokenRejectedError extends SalesforceError {}

/**
 * Sends jsforce's requests through `BoundedHttp`, to the org only. jsforce's own transport follows redirects to any
 * host with the token, reads answers of any length, and repeats rejected requests without limit. Rejects with
 * `SalesforceError`; an error answer in JSON is left to jsforce, except a 401.
 */
export class BoundedTransport extends Transport {
  constructor(
    private readonly http: BoundedHttp,
    /** The only address that may receive the token. */
    private readonly instanceUrl: () => string,
    private readonly limits: TransportLimits,
  ) {
    super();
  }

  override httpRequest(
    request: HttpRequest,
    { signal }: HttpRequestOptions & { readonly signal?: AbortSignal } = {},
  ): StreamPromise<HttpResponse> {
    // jsforce expects a stream beside the promise; no caller reads it, so an empty one will do.
    return StreamPromise.create(() => ({ stream: new PassThrough(), promise: this.send(request, signal) }));
  }

  private async send(request: HttpRequest, signal: AbortSignal | undefined): Promise<HttpResponse> {
    if (originOf(request.url) !== originOf(this.instanceUrl())) {
      throw new SalesforceError(
        'SALESFORCE_UNAVAILABLE',
        'the answer leads to another host than the org: not followed',
      );
    }
    let answer = await this.ask(request, signal);
    if (request.method === 'GET' && PASSING.has(answer.status)) {
      await pause(PAUSE_MS, signal ?? new AbortController().signal);
      answer = await this.ask(request, signal);
    }
    if (answer.status === 401) throw rejection(answer);
    const isError = answer.status >= 400;
    if (isError && jsonOf(answer) === undefined) {
      const text = `HTTP ${answer.status} and no answer of Salesforce`;
      throw new SalesforceError(codeOfForeignAnswer(answer.status), text, `ERROR_HTTP_${answer.status}`);
    }
    return { statusCode: answer.status, headers: textsOf(answer.headers), body: answer.body };
  }

  private async ask(request: HttpRequest, signal: AbortSignal | undefined): Promise<HttpAnswer> {
    const { url, method, headers, body } = request;
    const isRead = method === 'GET';
    try {
      return await this.http.ask({
        url,
        method,
        ...(headers === undefined ? {} : { headers }),
        body: typeof body === 'string' ? body : undefined,
        isRead,
        timeoutMs: this.limits.requestTimeoutMs,
        bytesMax: this.limits.answerBytesMax,
        signal,
      });
    } catch (error) {
      if (!(error instanceof HttpFaultError)) throw error;
      // A write whose answer is too long to read may have been carried out, so it counts as a write without an answer.
      if (error.kind === 'too-large' && !isRead) {
        throw new SalesforceError('SALESFORCE_UNAVAILABLE', error.message, undefined, { cause: error });
      }
      throw errorOfFault(error, method);
    }
  }
}

function rejection(answer: HttpAnswer): SalesforceError {
  const json = jsonOf(answer)?.value;
  const reason = REASON.safeParse(Array.isArray(json) ? json[0] : json);
  const { errorCode, message } = reason.success
    ? reason.data
    : { errorCode: 'ERROR_HTTP_401', message: 'the token was rejected' };
  const text = `${errorCode}: ${message}`;
  const isLasting = LASTING.some((part) => answer.body.includes(part));
  return new (isLasting ? SalesforceError : TokenRejectedError)('SALESFORCE_AUTH_FAILED', text, errorCode);
}

function originOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).origin : undefined;
}

function textsOf(headers: HttpAnswer['headers']): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value ?? '')]));
}
