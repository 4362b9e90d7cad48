import type { Sessions } from './sessions.js';

/** What the refresh-token grant takes: a web login, which gives one, is not here. */
export const REFRESH_TOKEN = 'sandbox-refresh-token';

/** The one refresh token, until it is revoked: then it is worth nothing for as long as the sandbox runs. */
export class RefreshGrant {
  private readonly accessTokens = new Set<string>();
  private isRevoked = false;

  constructor(private readonly sessions: Sessions) {
    sessions.onRevoked((token) => this.accessTokens.delete(token));
  }

  isValid(token: string | undefined): boolean {
    return token === REFRESH_TOKEN && !this.isRevoked;
  }

  /** A new access token, which ends with the refresh token. */
  issue(): string {
    const token = this.sessions.issue();
    this.accessTokens.add(token);
    return token;
  }

  /** Ends the refresh token and every session that it has given (Salesforce help, "Revoke OAuth Tokens"); false if it is none. */
  revoke(token: string): boolean {
    if (!this.isValid(token)) return false;
    this.isRevoked = true;
    for (const accessToken of [...this.accessTokens]) this.sessions.revoke(accessToken);
    return true;
  }
}
