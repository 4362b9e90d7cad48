import { BoundedHttp } from '@bff/infra/http/bounded-http';
import { forwardProxyFor } from '@bff/infra/http/forward-proxy';
import { Connection } from 'jsforce';
import { BoundedTransport, TokenRejectedError } from './bounded-transport.js';
import { withDeadline } from './deadline.js';
import { SalesforceError } from '../salesforce.errors.js';
import { isSalesforceId, type SalesforceId, toSalesforceId } from '../salesforce-id.js';
import {
  type ResolvedSalesforceOptions,
  resolveSalesforceOptions,
  type SalesforceOptions,
} from '../salesforce.options.js';
import { signIn } from '../sign-in/sign-in.js';
import { SignInPace } from '../sign-in/sign-in-pace.js';

/** Sends one request with jsforce. `http` holds options that its request methods take as their last argument. */
export type SalesforceRequest<T> = (jsforce: Connection, http: object) => PromiseLike<T>;

/**
 * The one signed-in connection of a process to an org, shared by REST and change events. It signs in at first use, with
 * one sign-in for all waiting callers, and again after a token is rejected: at most once per request, only while a
 * caller waits for it, and only as often as `SignInPace` allows. It never uses SOAP login, which Salesforce retires in
 * Summer '27.
 */
export class SalesforceConnection {
  readonly options: ResolvedSalesforceOptions;
  private readonly jsforce: Connection;
  private readonly http = new BoundedHttp(forwardProxyFor);
  private readonly pace = new SignInPace();
  private signingIn: Promise<void> | undefined;

  constructor(options: SalesforceOptions) {
    this.options = resolveSalesforceOptions(options);
    const { loginUrl, apiVersion, clientName } = this.options;
    // Without a client id and a refreshFn, jsforce never signs in itself; with them it would at every rejection.
    this.jsforce = new Connection({ version: apiVersion, loginUrl, callOptions: { client: clientName } });
    this.jsforce._transport = new BoundedTransport(this.http, () => this.jsforce.instanceUrl, this.options);
  }

  /**
   * Sends a request with a token, and once more with a new one if the org rejected it. Ends within `requestTimeoutMs`
   * after the sign-in; after that, it sends nothing a second time, and once the signal is aborted, it sends nothing.
   * Rejects with `SalesforceError`, or with the error that jsforce makes of a Salesforce error.
   */
  async request<T>(send: SalesforceRequest<T>, signal?: AbortSignal): Promise<T> {
    await this.signedIn();
    if (signal?.aborted) throw givenUp(signal);
    return withDeadline(this.options.requestTimeoutMs, async (over) => {
      const isForNobody = (): boolean => over.aborted || signal?.aborted === true;
      const jsforce = await this.signedIn();
      const token = jsforce.accessToken ?? '';
      try {
        return await send(jsforce, { signal: over });
      } catch (error) {
        if (!(error instanceof TokenRejectedError) || isForNobody()) throw error;
      }
      await this.renew(token);
      if (isForNobody()) throw rejectedAgain();
      try {
        return await send(jsforce, { signal: over });
      } catch (error) {
        throw error instanceof TokenRejectedError ? rejectedAgain(error) : error;
      }
    });
  }

  /**
   * The connection, which signs in first if it has no token yet. Rejects as `signIn` does; until the next attempt is
   * due, with the error of the last one.
   */
  async signedIn(): Promise<Connection> {
    if (!this.jsforce.accessToken) await this.signIn();
    return this.jsforce;
  }

  /**
   * Signs in anew unless another caller already replaced `rejectedToken`. While new tokens are rejected as well, it
   * rejects with `SALESFORCE_AUTH_FAILED` without a sign-in.
   */
  async renew(rejectedToken: string): Promise<Connection> {
    if (this.jsforce.accessToken === rejectedToken) {
      const waitMs = this.signingIn === undefined ? this.pace.msToRenewal() : 0;
      if (waitMs > 0) throw rejectedAgain();
      await this.signIn();
    }
    return this.signedIn();
  }

  /**
   * The org's id, from the sign-in answer. Signs in first if that has not happened yet. Rejects with
   * `SALESFORCE_UNAVAILABLE` if the answer names no org.
   */
  async organizationId(): Promise<SalesforceId> {
    const id = (await this.signedIn()).userInfo?.organizationId ?? '';
    if (isSalesforceId(id)) return toSalesforceId(id);
    const text = `the sign-in at ${this.options.loginUrl} names no org; check SF_LOGIN_URL`;
    throw new SalesforceError('SALESFORCE_UNAVAILABLE', text);
  }

  /** The org's daily API requests, used and allowed, from the newest answer that stated them; undefined before. */
  apiUsage(): { used: number; limit: number } | undefined {
    return this.jsforce.limitInfo.apiUsage;
  }

  /**
   * Why Salesforce refused the credentials at the newest sign-in; undefined after any other outcome, and before the
   * first.
   */
  signInRefusal(): string | undefined {
    return this.pace.refusal?.message;
  }

  private signIn(): Promise<void> {
    this.signingIn ??= this.requestToken().finally(() => {
      this.signingIn = undefined;
    });
    return this.signingIn;
  }

  private async requestToken(): Promise<void> {
    const pending = this.pace.pendingFailure();
    if (pending !== undefined) throw pending;
    try {
      const { accessToken, instanceUrl, idUrl } = await signIn(this.options, this.http);
      const [organizationId = '', id = ''] = idUrl.split('/').slice(-2);
      this.jsforce.instanceUrl = instanceUrl;
      this.jsforce.accessToken = accessToken;
      this.jsforce.userInfo = { organizationId, id, url: idUrl };
      this.pace.signedIn();
    } catch (error) {
      if (error instanceof SalesforceError) this.pace.failed(error);
      throw error;
    }
  }
}

function givenUp({ reason }: AbortSignal): SalesforceError {
  return new SalesforceError('SALESFORCE_ABORTED', 'the caller gave up before the request was sent', undefined, {
    cause: reason,
  });
}

function rejectedAgain(cause?: unknown): SalesforceError {
  return new SalesforceError(
    'SALESFORCE_AUTH_FAILED',
    'the org rejects tokens that it has just issued; check the API access of the user and the IP restrictions of the connected app',
    undefined,
    { cause },
  );
}
