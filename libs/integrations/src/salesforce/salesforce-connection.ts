import { BoundedHttp } from '@bff/infra/http/bounded-http';
import { forwardProxyFor } from '@bff/infra/http/forward-proxy';
import { Connection } from 'jsforce';
import { BoundedTransport, TokenRejectedError } from './bounded-transport.js';
import { withDeadline } from './deadline.js';
import { SalesforceError } from './salesforce.errors.js';
import {
  type ResolvedSalesforceOptions,
  resolveSalesforceOptions,
  type SalesforceOptions,
} from './salesforce.options.js';
import { signIn } from './sign-in.js';
import { SignInPace } from './sign-in-pace.js';

/** Sends with jsforce what was asked; `http` are the options that its request methods take last. */
export type SalesforceRequest<T> = (jsforce: Connection, http: object) => PromiseLike<T>;

/**
 * The one signed-in connection of a process to an org, shared by REST and change events. Signs in at the first use, once
 * for all who wait, and again when a token was rejected: at most once for each request, while somebody waits for it, and no
 * oftener than `SignInPace` allows. Never by SOAP login, which Salesforce retires in Summer '27.
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
    // Without a client id and a refreshFn jsforce signs in nowhere by itself; it would do so as often as a request is rejected.
    this.jsforce = new Connection({ version: apiVersion, loginUrl, callOptions: { client: clientName } });
    this.jsforce._transport = new BoundedTransport(this.http, () => this.jsforce.instanceUrl, this.options);
  }

  /**
   * Sends a request with a token, and once more with another one if the org has rejected it. Ends within
   * `requestTimeoutMs` after the sign-in; when that is over or the signal is aborted nothing more is sent for it. Rejects
   * with `SalesforceError`, or what jsforce makes of an error of Salesforce.
   */
  async request<T>(send: SalesforceRequest<T>, signal?: AbortSignal): Promise<T> {
    await this.signedIn();
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

  /** The connection with a token. Rejects as `signIn` does. */
  async signedIn(): Promise<Connection> {
    if (!this.jsforce.accessToken) await this.signIn();
    return this.jsforce;
  }

  /**
   * Signs in anew unless somebody already has since `rejectedToken` was current. Rejects with `SALESFORCE_AUTH_FAILED`
   * without a sign-in while new tokens are rejected as well.
   */
  async renew(rejectedToken: string): Promise<Connection> {
    if (this.jsforce.accessToken === rejectedToken) {
      const waitMs = this.signingIn === undefined ? this.pace.msToRenewal() : 0;
      if (waitMs > 0) throw rejectedAgain();
      await this.signIn();
    }
    return this.signedIn();
  }

  /** The org's 18-character id as the sign-in told it. */
  async organizationId(): Promise<string> {
    const connection = await this.signedIn();
    const id = connection.userInfo?.organizationId;
    if (!id) throw new SalesforceError('SALESFORCE_UNAVAILABLE', 'the sign-in answer names no organization');
    return id;
  }

  /** The daily API requests used, from the newest answer; undefined before the first one. */
  apiUsage(): { used: number; limit: number } | undefined {
    return this.jsforce.limitInfo.apiUsage;
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

function rejectedAgain(cause?: unknown): SalesforceError {
  return new SalesforceError(
    'SALESFORCE_AUTH_FAILED',
    'the org rejects tokens that it has just issued; check the API access of the user and the IP restrictions of the connected app',
    undefined,
    { cause },
  );
}
