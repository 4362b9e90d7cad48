import { Connection } from 'jsforce';
import { withDeadline } from './deadline.js';
import { signAssertion } from './jwt-assertion.js';
import { SalesforceError, toSignInError } from './salesforce.errors.js';
import {
  type ResolvedSalesforceOptions,
  resolveSalesforceOptions,
  type SalesforceOptions,
} from './salesforce.options.js';

const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

/** How often new tokens may be rejected in a row before callers are told; jsforce alone would sign in without end. */
const REJECTED_TOKENS_MAX = 2;

/**
 * The one signed-in connection of a process to an org, shared by REST and change events. Signs in at the first use, once
 * for all who wait, and again when a token was rejected. Never by SOAP login, which Salesforce retires in Summer '27.
 */
export class SalesforceConnection {
  readonly options: ResolvedSalesforceOptions;
  private readonly jsforce: Connection;
  private signingIn: Promise<void> | undefined;
  private rejectedInRow = 0;
  private refreshFailure: SalesforceError | undefined;

  constructor(options: SalesforceOptions) {
    this.options = resolveSalesforceOptions(options);
    const { credentials, loginUrl, apiVersion, clientName } = this.options;
    this.jsforce = new Connection({
      version: apiVersion,
      loginUrl,
      oauth2: {
        loginUrl,
        // The JWT bearer grant sends the assertion only; its issuer is the client id.
        ...('clientSecret' in credentials
          ? { clientId: credentials.clientId, clientSecret: credentials.clientSecret }
          : {}),
      },
      callOptions: { client: clientName },
      // jsforce's own refresh knows refresh tokens and passwords; neither grant here has any.
      refreshFn: (_connection, done) => void this.refresh(done),
    });
  }

  /** The connection with a token. Rejects with `SALESFORCE_AUTH_FAILED`, `SALESFORCE_TIMEOUT` or `SALESFORCE_UNAVAILABLE`. */
  async signedIn(): Promise<Connection> {
    if (!this.jsforce.accessToken) await this.signIn();
    return this.jsforce;
  }

  /** Signs in anew unless somebody already has since `rejectedToken` was current. */
  async renew(rejectedToken: string): Promise<Connection> {
    if (this.jsforce.accessToken === rejectedToken) await this.signIn();
    return this.signedIn();
  }

  /** The org's 18-character id as the sign-in told it. */
  async organizationId(): Promise<string> {
    const connection = await this.signedIn();
    const id = connection.userInfo?.organizationId;
    if (!id) throw new SalesforceError('SALESFORCE_UNAVAILABLE', 'the sign-in answer names no organization');
    return id;
  }

  /** Tells that Salesforce accepted the token: the count of rejected ones starts again. */
  accepted(): void {
    this.rejectedInRow = 0;
  }

  /** The daily API requests used, from the newest answer; undefined before the first one. */
  apiUsage(): { used: number; limit: number } | undefined {
    return this.jsforce.limitInfo.apiUsage;
  }

  /** Why the last re-authentication inside a request failed. jsforce passes on its text only. */
  lastRefreshFailure(): SalesforceError | undefined {
    return this.refreshFailure;
  }

  private async refresh(done: (error: Error | null, accessToken?: string) => void): Promise<void> {
    try {
      if (this.rejectedInRow >= REJECTED_TOKENS_MAX) {
        this.rejectedInRow = 0;
        throw new SalesforceError(
          'SALESFORCE_AUTH_FAILED',
          'the org rejects tokens that it has just issued; check the API access of the user and the IP restrictions of the connected app',
        );
      }
      this.rejectedInRow += 1;
      await this.signIn();
      done(null, this.jsforce.accessToken ?? '');
    } catch (error) {
      this.refreshFailure = toSignInError(error, this.options.loginUrl);
      done(this.refreshFailure);
    }
  }

  private signIn(): Promise<void> {
    this.signingIn ??= this.requestToken().finally(() => {
      this.signingIn = undefined;
    });
    return this.signingIn;
  }

  private async requestToken(): Promise<void> {
    const { credentials, loginUrl, jwtAudience, requestTimeoutMs } = this.options;
    try {
      const grant =
        'clientSecret' in credentials
          ? { grant_type: 'client_credentials' }
          : { grant_type: JWT_BEARER, assertion: await signAssertion(credentials, jwtAudience) };
      await withDeadline(requestTimeoutMs, () => this.jsforce.authorize(grant));
    } catch (error) {
      throw toSignInError(error, loginUrl);
    }
  }
}
